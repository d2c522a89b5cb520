/** The room of alerts: looks at the world every ten seconds, keeps what it found, and has it told. */
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { RuleName } from '../config/alert-rules.ts';
import type { AlertsPlan } from '../config/plan-alerts.ts';
import type { AlertsAnswer, AlertTestAnswer, SilenceView } from '../protocol/alerts.ts';
import type { AlertFigures } from '../protocol/metrics.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { createFactSource, type FactPorts, type Facts } from './facts.ts';
import { type Alerts, fingerprintOf, judge, type Measurement } from './machine.ts';
import { openNotebook } from './notebook.ts';
import type { Posted } from './post.ts';
import { measure } from './rules.ts';
import { createTeller, type TellerPorts } from './teller.ts';
import type { Silence } from './telling.ts';
import { countAlerts, viewAlerts, viewSilence, viewSink } from './views.ts';
import { worstOf } from './worst.ts';

export interface AlertPorts extends FactPorts, Omit<TellerPorts, 'at' | 'changed'> {
  /** Jobs that may run at once here. */
  readonly concurrency: number;
  /** What is worst now, for /health; undefined: nothing. */
  reportWorst(sentence: string | undefined): void;
  newId(): string;
}

export interface AlertsRoom {
  view(): AlertsAnswer;
  figures(): AlertFigures;
  /** Sends a message to every sink, or to the one of this name; undefined: there is none of it. */
  test(sink: string | undefined): Promise<AlertTestAnswer | undefined>;
  silence(asked: {
    readonly alertname: RuleName;
    readonly service: string | undefined;
    readonly ms: number;
    readonly comment: string | undefined;
  }): Promise<SilenceView>;
  /** false: there is none of this id. */
  unsilence(id: string): Promise<boolean>;
  /** One look, now; resolves when all that follows from it is asked for. */
  look(): Promise<void>;
  /** The last look before a stop: what ends the product is told before it has ended. Never takes long, never rejects. */
  lookLast(): Promise<void>;
  close(): Promise<void>;
}

const LOOK_MS = 10_000;
const MOST_SILENCES = 100;
/** PID 1 gives us 3 s to end. */
const LAST_LOOK_MS = 2000;

export function openAlerts(plan: AlertsPlan, ports: AlertPorts): AlertsRoom {
  const { clock, say } = ports;
  const notebook = openNotebook(`${ports.dataDir}/bulkhead/alerts/state.json`, say);
  const remembered = notebook.read();
  const at = steadyTime(clock, remembered?.at ?? 0);
  const { rules, sinksOff } = plan;
  const off = sinksOff.length === 0 ? {} : { sinksOff };
  const source = createFactSource(plan, ports.concurrency, ports);
  let alerts: Alerts = new Map(
    (remembered?.alerts ?? []).map((alert) => [fingerprintOf(alert.rule, alert.service), alert]),
  );
  let silences: readonly Silence[] = remembered?.silences ?? [];
  let backups = remembered?.backups ?? {};
  /** As PID 1 knows it; null: it knows nothing yet. */
  let worst: string | undefined | null = null;
  let disarm = (): void => undefined;
  let isClosed = false;

  const teller = createTeller(plan, remembered, { ...ports, at, changed: () => void save() });

  function save(): Promise<void> {
    return notebook.save({
      version: 1,
      at: at(),
      alerts: [...alerts.values()],
      silences,
      backups,
      ...teller.state(),
    });
  }

  let looking: Promise<unknown> = Promise.resolve();

  /** One after the other: each counts what is new since the one before it. */
  function look(): Promise<void> {
    const looked = looking.then(lookOnce);
    looking = looked.catch(() => undefined);
    return looked;
  }

  async function lookOnce(): Promise<void> {
    const { facts, times } = await source.look(teller.sinks(), backups);
    backups = times;
    const before = alerts;
    alerts = judge(before, rules, measureAll(plan, facts), { at: at(), iso: isoOf(clock) });
    silences = silences.filter(({ until }) => until > at());
    sayChanges(before, alerts, say);
    const now = worstOf(alerts);
    if (now !== worst) ports.reportWorst(now);
    worst = now;
    // First kept, then told: a crash in between tells it late, never twice.
    await save();
    teller.tell(alerts, silences, { facts, backups });
  }

  async function lookAgain(): Promise<void> {
    try {
      await look();
    } catch (error) {
      say(`cannot judge alerts: ${error instanceof Error ? error.stack : messageOf(error)}`);
    }
    if (!isClosed) disarm = clock.after(LOOK_MS, () => void lookAgain());
  }
  disarm = clock.after(0, () => void lookAgain());

  return {
    look,
    view: () => ({
      schemaVersion: SCHEMA_VERSION,
      enabled: true,
      alerts: viewAlerts(alerts, silences, at()),
      silences: silences.map(viewSilence),
      sinks: plan.sinks.map((sink) => viewSink(sink, teller.sinks().get(sink.name))),
      ...off,
    }),
    figures: () => ({ alerts: countAlerts(plan, alerts), sinks: teller.figures() }),
    async test(wanted) {
      const sinks = plan.sinks.filter(({ name }) => wanted === undefined || name === wanted);
      if (wanted !== undefined && sinks.length === 0) return undefined;
      const results = await Promise.all(
        sinks.map(async ({ name }) => ({ sink: name, ...resultOf(await teller.test(name)) })),
      );
      return { schemaVersion: SCHEMA_VERSION, results, ...off };
    },
    async silence({ alertname, service, ms, comment }) {
      const silence: Silence = {
        id: ports.newId(),
        rule: alertname,
        ...(service === undefined ? {} : { service }),
        until: at() + ms,
        untilIso: new Date(clock.now() + ms).toISOString(),
        ...(comment === undefined ? {} : { comment }),
      };
      silences = [...silences.slice(1 - MOST_SILENCES), silence];
      await save();
      return viewSilence(silence);
    },
    async unsilence(id) {
      const kept = silences.filter((silence) => silence.id !== id);
      if (kept.length === silences.length) return false;
      silences = kept;
      await save();
      return true;
    },
    async lookLast() {
      disarm();
      isClosed = true;
      const told = look()
        .then(() => teller.tellLast())
        .catch((error: unknown) => say(`cannot judge alerts: ${messageOf(error)}`));
      await new Promise<void>((resolve) => {
        const stop = clock.after(LAST_LOOK_MS, resolve);
        void told.then(() => {
          stop();
          resolve();
        });
      });
    },
    async close() {
      isClosed = true;
      disarm();
      teller.close();
      await save();
    },
  };
}

function resultOf({ ok, error }: Posted): { readonly ok: boolean; readonly error?: string } {
  return ok ? { ok } : { ok, error };
}

/** Goes on without steps, whatever is done to the clock, and never stands before where it was. */
function steadyTime(clock: Clock, least: number): () => number {
  const base = Math.max(clock.now(), least) - clock.mono();
  return () => Math.round(base + clock.mono());
}

function isoOf(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}

function measureAll(plan: AlertsPlan, facts: Facts): ReadonlyMap<RuleName, readonly Measurement[]> {
  return new Map(
    plan.rules.flatMap(({ name, threshold }) => {
      const found = measure(name, threshold, facts);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
}

function sayChanges(before: Alerts, after: Alerts, say: (text: string) => void): void {
  for (const [fingerprint, alert] of after) {
    const was = before.get(fingerprint)?.phase;
    if (alert.phase === was || alert.phase === 'pending') continue;
    say(`alert ${alert.phase}: ${fingerprint} (${alert.severity}): ${alert.description}`);
  }
}
