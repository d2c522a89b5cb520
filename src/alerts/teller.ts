/** Has messages delivered, each sink by itself and outside of the judging: one that hangs keeps nobody waiting. */
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { AlertsPlan, SinkPlan } from '../config/plan-alerts.ts';
import { hideSecrets } from '../config/secrets.ts';
import type { AlertFigures } from '../protocol/metrics.ts';
import type { BackupTimes, Facts } from './facts.ts';
import type { Alert, Alerts } from './machine.ts';
import type { Remembered } from './notebook.ts';
import { type Handout, hostOf, type Outgoing, type Posted } from './post.ts';
import { render } from './sinks/render.ts';
import type { ToldAlert } from './sinks/told.ts';
import {
  delivered,
  failed,
  forgetOver,
  isFailing,
  type Message,
  NEW_SINK,
  nextMessage,
  type Silence,
  type SinkState,
  type TellingRules,
} from './telling.ts';

export interface TellerPorts {
  readonly clock: Clock;
  /** The steady clock, ms. */
  at(): number;
  say(text: string): void;
  /** Never rejects. */
  post(outgoing: Outgoing): Promise<Posted>;
  /** Has the command of a sink told. Never rejects. */
  hand(handout: Handout): Promise<Posted>;
  /** The newest lines of a service; none where it is none, or nobody answers. */
  lastLines(service: string): Promise<readonly string[]>;
  /** From 0 to 1. */
  random(): number;
  /** Of the product. */
  readonly name: string;
  readonly host: string;
  /** Where the alerts are shown. */
  readonly url: string;
  /** What must not be told, whoever asks. */
  readonly secrets: readonly string[];
  /** What sinks were told has changed. */
  changed(): void;
}

export interface Teller {
  /** Tells what is to be told; returns at once. */
  tell(alerts: Alerts, silences: readonly Silence[], more: { facts: Facts; backups: BackupTimes }): void;
  /** Tells at once what is not told yet; resolves when it was tried. */
  tellLast(): Promise<void>;
  test(sink: string): Promise<Posted>;
  sinks(): ReadonlyMap<string, SinkState>;
  figures(): AlertFigures['sinks'];
  state(): Pick<Remembered, 'sinks' | 'beats'>;
  close(): void;
}

/** They show the newest lines of the services it is about. */
const TAKES_LINES: ReadonlySet<SinkPlan['type']> = new Set<SinkPlan['type']>(['webhook', 'sentry', 'exec']);

export function createTeller(
  plan: AlertsPlan,
  remembered: Remembered | undefined,
  ports: TellerPorts,
): Teller {
  const { clock, at, say } = ports;
  const states = new Map(plan.sinks.map(({ name }) => [name, remembered?.sinks[name] ?? NEW_SINK]));
  const beats: Record<string, string> = { ...remembered?.beats };
  const tries = new Map(plan.sinks.map(({ name }) => [name, { sent: 0, failed: 0 }]));
  const busy = new Set<string>();
  const deliveries = new Set<Promise<void>>();
  let known: { alerts: Alerts; silences: readonly Silence[] } = { alerts: new Map(), silences: [] };
  let disarm = (): void => undefined;
  let isClosed = false;
  let isLast = false;

  const stateOf = (sink: SinkPlan): SinkState => states.get(sink.name) ?? NEW_SINK;
  const moment = () => ({ at: at(), iso: new Date(clock.now()).toISOString() });

  function tellAll(): void {
    if (isClosed) return;
    for (const sink of plan.sinks) {
      if (sink.type === 'heartbeat' || busy.has(sink.name)) continue;
      const rules = { ...rulesOf(sink, plan), hurry: isLast };
      if (rules.firingOnly) states.set(sink.name, forgetOver(stateOf(sink), known.alerts));
      const message = nextMessage(stateOf(sink), rules, known.alerts, known.silences, moment());
      if (message) follow(deliver(sink, message));
    }
    disarm();
    const waits = [...states.values()].map(({ retryAt }) => retryAt - at()).filter((wait) => wait > 0);
    if (waits.length > 0) disarm = clock.after(Math.min(...waits), tellAll);
  }

  function follow(delivery: Promise<void>): void {
    deliveries.add(delivery);
    void delivery.finally(() => deliveries.delete(delivery));
  }

  async function deliver(sink: SinkPlan, message: Message): Promise<void> {
    await attempt(
      sink,
      async () => send(await compose(sink, message.status, message.alerts, message.isLast)),
      (state) => delivered(state, message, moment()),
    );
    // What came in between is told at once, or after the wait that a failure asks for.
    tellAll();
  }

  /** One try at a time for each sink; its outcome is noted. */
  async function attempt(
    sink: SinkPlan,
    run: () => Promise<Posted>,
    onSuccess: (state: SinkState) => SinkState,
  ): Promise<boolean> {
    busy.add(sink.name);
    const posted = await run().catch((error: unknown): Posted => {
      say(`cannot tell ${sink.name}: ${error instanceof Error ? error.stack : messageOf(error)}`);
      return { ok: false, error: 'a fault of ours; it is in the log', retryAfter: undefined };
    });
    busy.delete(sink.name);
    const counted = tries.get(sink.name);
    if (counted) counted[posted.ok ? 'sent' : 'failed'] += 1;
    const before = stateOf(sink);
    const after = posted.ok
      ? onSuccess(before)
      : failed(before, posted.error, at(), ports.random(), posted.retryAfter);
    states.set(sink.name, after);
    if (isFailing(after) && !isFailing(before)) say(`sink ${sink.name} cannot be reached: ${posted.error}`);
    if (posted.ok && isFailing(before)) say(`sink ${sink.name} is reached again`);
    if (!isClosed) ports.changed();
    return posted.ok;
  }

  async function compose(
    sink: SinkPlan,
    status: 'firing' | 'resolved' | 'test',
    alerts: readonly ToldAlert[],
    isLast: boolean,
  ): Promise<Outgoing | Handout> {
    const wantsLines = status === 'firing' && TAKES_LINES.has(sink.type);
    const services = wantsLines ? [...new Set(alerts.map(({ service }) => service))] : [];
    const logs = await Promise.all(
      services
        .filter((service) => service !== '')
        .map(async (service) => [service, (await ports.lastLines(service)).map(hide)] as const),
    );
    const { name, host, url } = ports;
    return render(sink, {
      status,
      alerts: alerts.map((alert) => ({ ...alert, description: hide(alert.description) })),
      isLast,
      name,
      host,
      url,
      logs: new Map(logs),
      iso: moment().iso,
      repeat: plan.repeat,
    });
  }

  function send(message: Outgoing | Handout): Promise<Posted> {
    return 'sink' in message ? ports.hand(message) : ports.post(message);
  }

  function hide(text: string): string {
    return hideSecrets(text, ports.secrets);
  }

  function beat(facts: Facts, backups: BackupTimes): void {
    for (const sink of plan.sinks) {
      if (sink.type !== 'heartbeat' || busy.has(sink.name) || stateOf(sink).retryAt > at()) continue;
      const newest = Object.values(backups)
        .flatMap(({ well }) => well ?? [])
        .toSorted()
        .at(-1);
      const last = stateOf(sink).sent.at(-1) ?? Number.NEGATIVE_INFINITY;
      const isDue =
        sink.after === 'backup'
          ? newest !== undefined && newest !== beats[sink.name]
          : at() - last >= sink.interval && isAllWell(facts, known.alerts);
      if (!isDue) continue;
      void attempt(
        sink,
        () => ports.post({ url: sink.url, method: 'GET', headers: {}, body: '' }),
        (state) => {
          if (newest !== undefined) beats[sink.name] = newest;
          const { at: now, iso } = moment();
          return { ...state, sent: [now], failures: 0, retryAt: 0, lastSuccess: iso };
        },
      );
    }
  }

  for (const { name, type, url } of plan.sinks)
    say(`alerts are told to ${name} (${type})${url === '' ? '' : ` at ${hostOf(url)}`}`);

  return {
    tell(alerts, silences, { facts, backups }) {
      known = { alerts, silences };
      tellAll();
      beat(facts, backups);
    },
    async tellLast() {
      isLast = true;
      tellAll();
      // What follows from one of them is among them before it is gone.
      while (deliveries.size > 0) await Promise.all(deliveries);
    },
    async test(name) {
      const sink = plan.sinks.find((one) => one.name === name);
      if (sink === undefined) throw new Error(`there is no sink ${name}`);
      return send(await compose(sink, 'test', [testAlert(moment().iso)], false));
    },
    sinks: () => states,
    figures: () => [...tries].map(([name, counted]) => ({ name, ...counted })),
    state: () => ({ sinks: Object.fromEntries(states), beats }),
    close() {
      isClosed = true;
      disarm();
    },
  };
}

function rulesOf(sink: SinkPlan, plan: AlertsPlan): TellingRules {
  // There an alert is an issue of its own, and only people close issues.
  const isSentry = sink.type === 'sentry';
  return {
    sink: sink.name,
    minSeverity: sink.minSeverity,
    repeat: plan.repeat,
    firingOnly: isSentry,
    single: isSentry,
  };
}

function isAllWell({ product }: Facts, alerts: Alerts): boolean {
  if (product === undefined || product.overall === 'fail') return false;
  return ![...alerts.values()].some(
    ({ phase, severity }: Alert) => phase === 'firing' && severity === 'critical',
  );
}

function testAlert(iso: string): ToldAlert {
  return {
    rule: 'Test',
    service: '',
    severity: 'warning',
    phase: 'firing',
    at: 0,
    value: 0,
    threshold: 0,
    description: 'This is a test: somebody asked for it with bulkhead alerts test.',
    startsAt: iso,
  };
}
