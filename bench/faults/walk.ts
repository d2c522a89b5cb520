/** One fault on a container of its own, from a product that is well to one that is well again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, FULL_IMAGE, makeVolume, runContainer, waitFor } from '../../test/image/container.ts';
import { TOKEN } from '../../test/image/jobs.ts';
import type { Fault, Figure } from './fault.ts';
import { type Hook, openHook } from './hook.ts';
import { type Health, type Watch, watch } from './watch.ts';

/** Seconds; undefined: it was never said. */
export interface Spoken {
  readonly after: number | undefined;
  readonly words: string;
}

export interface Walked {
  readonly fault: Fault;
  readonly health: Spoken;
  readonly metric: Spoken;
  readonly alert: Spoken;
  /** After the fault had been taken away. */
  readonly over: { readonly health: Spoken; readonly metric: Spoken; readonly alert: Spoken };
  readonly notes: readonly string[];
  /** All that was said, in its order. */
  readonly history: readonly string[];
}

const NOTHING: Spoken = { after: undefined, words: '' };
const LOOK_MS = 100;

export async function walk(fault: Fault): Promise<Walked> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-fault-'));
  await using hook = await openHook();
  await using deaf = await openHook();
  deaf.status = 500;
  const volume = fault.data === 'tmpfs' ? undefined : await makeVolume();
  writeFileSync(
    join(folder, 'plan.yaml'),
    `version: 1\nextends: /etc/bulkhead/full.yaml\n${(fault.plan ?? '').replaceAll('DEAF', deaf.url)}`,
  );
  const container = await runContainer({
    image: FULL_IMAGE,
    ...(volume === undefined ? {} : { volume }),
    env: {
      BULKHEAD_TOKEN: TOKEN,
      BULKHEAD_CONFIG: '/etc/walk/plan.yaml',
      ALERT_WEBHOOK_URL: hook.url,
      ...fault.env,
    },
    // As the Compose file.
    args: [
      ...['--restart', 'unless-stopped', '--shm-size', '1g', '--memory', '4g'],
      ...['--volume', `${join(folder, 'plan.yaml')}:/etc/walk/plan.yaml:ro`],
      ...((await fault.args?.(folder)) ?? []),
    ],
  });
  const notes: string[] = [];
  const subject = { container, hook, deaf, folder, note: (text: string) => void notes.push(text) };
  let looking: Watch | undefined;
  try {
    if (!fault.neverReady) {
      await container.ready();
      await isWell(container);
    }
    looking = watch(container);
    await sleep(fault.neverReady ? 0 : 3000);
    const before = read(looking, fault.metric) ?? 0;
    const began = performance.now();
    const [said] = await Promise.all([listenTo(fault, looking, hook, began, before), fault.begin(subject)]);
    const ended = performance.now();
    await fault.end(subject);
    const over = await listenToEnd(
      fault,
      said.alert,
      /readyz (?!200)/.test(said.health.words),
      looking,
      hook,
      ended,
      before,
    );
    await fault.check?.(subject);
    return { fault, ...said, over, notes, history: historyOf(looking, hook, began) };
  } catch (error) {
    const log = (await container.logs()).split('\n').slice(-60).join('\n');
    throw new Error(`${fault.name}: ${error instanceof Error ? error.message : String(error)}\n${log}`);
  } finally {
    await looking?.stop();
    await container.remove();
    if (volume !== undefined) await docker(['volume', 'rm', '-f', volume]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Also the alerts have looked once by then. */
async function isWell(container: Parameters<typeof watch>[0]): Promise<void> {
  await waitFor('/health to pass', async () => (await container.probe('/health')).status === 200, container);
  await waitFor('the API', async () => (await container.exec(['bulkhead', 'alerts', 'list'])).code === 0);
  await sleep(11_000);
}

async function listenTo(
  fault: Fault,
  looking: Watch,
  hook: Hook,
  began: number,
  before: number,
): Promise<Pick<Walked, 'health' | 'metric' | 'alert'>> {
  const isBad = fault.health ?? ((): boolean => false);
  const { metric, patience } = fault;
  const [health, figure, alert] = await Promise.all([
    until(
      fault.health && (() => looking.health.find(({ at, value }) => at >= began && isBad(value))),
      ({ value }) => describeHealth(value),
      began,
      patience,
    ),
    until(
      metric &&
        (() => {
          const value = read(looking, metric);
          return value !== undefined && metric.says(value, before)
            ? { at: performance.now(), value }
            : undefined;
        }),
      ({ value }) => `${metric?.name} ${value}`,
      began,
      patience,
    ),
    until(
      fault.alert === undefined ? undefined : () => found(hook, fault.alert, 'firing', began),
      ({ description }) => description,
      began,
      patience,
    ),
  ]);
  return { health, metric: figure, alert };
}

async function listenToEnd(
  fault: Fault,
  alerted: Spoken,
  wasOut: boolean,
  looking: Watch,
  hook: Hook,
  ended: number,
  before: number,
): Promise<Walked['over']> {
  const { metric, endPatience } = fault;
  // What only grows is never unsaid.
  const isCounter = metric === undefined || /_total(\{|$)/.test(metric.name);
  const [health, figure, alert] = await Promise.all([
    until(
      fault.health &&
        (() => {
          const now = looking.health.at(-1);
          if (now?.value.ready !== 200) return undefined;
          // What was out of service serves again; what was only warned of is well.
          return now.value.status === (wasOut ? 'warn' : 'pass') || now.value.status === 'pass'
            ? now
            : undefined;
        }),
      ({ value }) => describeHealth(value),
      ended,
      endPatience,
    ),
    until(
      isCounter
        ? undefined
        : () => {
            const value = read(looking, metric);
            return value !== undefined && !metric.says(value, before)
              ? { at: performance.now(), value }
              : undefined;
          },
      ({ value }) => `${metric?.name} ${value}`,
      ended,
      endPatience,
    ),
    until(
      alerted.after === undefined ? undefined : () => found(hook, fault.alert, 'resolved', ended),
      ({ description }) => description,
      ended,
      endPatience,
    ),
  ]);
  return { health, metric: figure, alert };
}

async function until<Found extends { readonly at: number }>(
  look: (() => Found | undefined) | undefined,
  describe: (found: Found) => string,
  from: number,
  patience: number,
): Promise<Spoken> {
  if (look === undefined) return NOTHING;
  while (performance.now() < from + patience * 1000) {
    const seen = look();
    if (seen) return { after: Math.max(0, seen.at - from) / 1000, words: describe(seen) };
    await sleep(LOOK_MS);
  }
  return { after: undefined, words: `not within ${patience} s` };
}

function found(hook: Hook, fingerprint: string | undefined, status: string, from: number) {
  return hook.told.find(
    (told) => told.fingerprint === fingerprint && told.status === status && told.at >= from,
  );
}

function historyOf({ health }: Watch, { told }: Hook, began: number): readonly string[] {
  const lines = [
    ...health.map(({ at, value }) => ({ at, text: `/health ${describeHealth(value)}` })),
    ...told.map(({ at, status, fingerprint, description }) => ({
      at,
      text: `told ${fingerprint} ${status}: ${description}`,
    })),
  ];
  return lines
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, text }) => `${((at - began) / 1000).toFixed(1)} s ${text}`);
}

function read(looking: Watch, figure: Figure | undefined): number | undefined {
  const now = looking.metrics();
  return now === undefined ? undefined : figure?.read(now.value);
}

function describeHealth({ ready, status, output }: Health): string {
  return `${status}, /readyz ${ready}${output === '' ? '' : `: ${output}`}`;
}
