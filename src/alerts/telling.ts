/**
 * Who is told what. Pure, and by the state alone: a sink is told what fires and is not told yet, and of what it was told
 * that it is over. So nothing is told twice, nothing is over that nobody heard of, and what could not be delivered is
 * settled by the next look, however long a sink was away.
 */
import { ALERT_RULES, type AlertRule, type RuleName, type Severity } from '../config/alert-rules.ts';
import { type Alert, type Alerts, fingerprintOf } from './machine.ts';

/** What a sink has heard, and how it goes with it. */
export interface SinkState {
  /** By fingerprint: what it was told to fire, and when last; ms of the steady clock. */
  readonly told: Readonly<Record<string, { readonly at: number; readonly alert: Alert }>>;
  /** Of its messages within the last hour; ms of the steady clock. */
  readonly sent: readonly number[];
  /** Failed tries in a row. */
  readonly failures: number;
  /** Not before this time; ms of the steady clock. */
  readonly retryAt: number;
  readonly lastError?: string;
  /** ISO 8601 */
  readonly lastSuccess?: string;
}

export interface Silence {
  readonly id: string;
  readonly rule: RuleName;
  readonly service?: string;
  /** Steady clock, ms; and for people. */
  readonly until: number;
  readonly untilIso: string;
  readonly comment?: string;
}

export interface Message {
  /** All of one message have the same status. */
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly Alert[];
  /** The last one for a while: what follows is gathered into one. */
  readonly isLast: boolean;
}

export const NEW_SINK: SinkState = { told: {}, sent: [], failures: 0, retryAt: 0 };

/** What fires is told with what fires within so much of it. */
const GROUP_MS = 10_000;
const HOUR = 3_600_000;
/** Messages an hour to one sink; what comes after them waits, and is told at once. */
export const MOST_AN_HOUR = 20;

export interface TellingRules {
  /** Its name. */
  readonly sink?: string;
  readonly minSeverity: Severity;
  /** ms */
  readonly repeat: number;
  /** Of a sink that takes no good news: what is over is forgotten in silence. */
  readonly firingOnly?: boolean;
  /** One alert a message. */
  readonly single?: boolean;
  /** Nothing is gathered any more: we are about to end. */
  readonly hurry?: boolean;
}

/** By which alert another one is said already; undefined: by none. */
export function inhibitorOf(alert: Alert, alerts: Alerts): Alert | undefined {
  const { coveredBy = [] }: AlertRule = ALERT_RULES[alert.rule];
  // What a service that is down does besides need not be told: it is down.
  const covering =
    alert.rule === 'ServiceDown' || alert.service === '' ? coveredBy : ['ServiceDown', ...coveredBy];
  return covering
    .map((rule) => alerts.get(fingerprintOf(rule, alert.service)))
    .find((other) => other?.phase === 'firing');
}

/** The silence that holds now; undefined: none. */
export function silenceOf(alert: Alert, silences: readonly Silence[], at: number): Silence | undefined {
  return silences.find(
    ({ rule, service, until }) =>
      until > at && rule === alert.rule && (service === undefined || service === alert.service),
  );
}

/** The next message to a sink; undefined: it knows all, or must wait. What is bad goes first. */
export function nextMessage(
  sink: SinkState,
  rules: TellingRules,
  alerts: Alerts,
  silences: readonly Silence[],
  { at, iso }: { readonly at: number; readonly iso: string },
): Message | undefined {
  if (sink.retryAt > at) return undefined;
  const recent = sink.sent.filter((time) => time > at - HOUR);
  if (recent.length >= MOST_AN_HOUR) return undefined;
  const isLast = recent.length === MOST_AN_HOUR - 1;
  const firing = [...alerts.values()].filter((alert) => alert.phase === 'firing');
  const over = Object.entries(sink.told).flatMap(([fingerprint, { alert: told }]): Alert[] => {
    const alert = alerts.get(fingerprint);
    if (alert?.phase === 'firing') return [];
    // It may be about to fire once more; the one that was told is over.
    return [alert?.phase === 'resolved' ? alert : { ...told, phase: 'resolved', endsAt: iso }];
  });
  const isOwn = ({ rule, service }: Alert): boolean => rule === 'NotifyFailing' && service === rules.sink;
  const isUntold = (alert: Alert): boolean => {
    const last = sink.told[fingerprintOf(alert.rule, alert.service)];
    if (last === undefined ? alert.isCalm : at - last.at < rules.repeat) return false;
    if (rules.minSeverity === 'critical' && alert.severity !== 'critical' && !isOwn(alert)) return false;
    return !silenceOf(alert, silences, at) && !inhibitorOf(alert, alerts);
  };
  // That a sink does not hear us is told to the others. To itself only where nothing else is left to be told: how else
  // would we learn that it hears again?
  const untold = firing.filter(isUntold);
  const others = untold.filter((alert) => !isOwn(alert));
  const wanted = others.length > 0 || over.length > 0 || !isFailing(sink) ? others : untold;
  if (wanted.length > 0 && (rules.hurry || isGathered(wanted, sink, at)))
    return { status: 'firing', alerts: rules.single ? wanted.slice(0, 1) : wanted, isLast };
  return over.length > 0 && !rules.firingOnly ? { status: 'resolved', alerts: over, isLast } : undefined;
}

/** A first one waits for others that fire in the same breath. */
function isGathered(wanted: readonly Alert[], sink: SinkState, at: number): boolean {
  return wanted.some(
    ({ rule, service, at: since }) =>
      sink.told[fingerprintOf(rule, service)] !== undefined || at - since >= GROUP_MS,
  );
}

/** What a sink knows once a message has arrived. */
export function delivered(sink: SinkState, message: Message, moment: { at: number; iso: string }): SinkState {
  const told = { ...sink.told };
  for (const alert of message.alerts) {
    const fingerprint = fingerprintOf(alert.rule, alert.service);
    if (message.status === 'firing') told[fingerprint] = { at: moment.at, alert };
    else delete told[fingerprint];
  }
  const sent = [...sink.sent.filter((time) => time > moment.at - HOUR), moment.at];
  return { told, sent, failures: 0, retryAt: 0, lastSuccess: moment.iso };
}

const TRIES = 5;
const FIRST_WAIT_MS = 2000;
/** After the tries in a row it is tried again now and then: what fires is not forgotten. */
const LATER_MS = 5 * 60_000;
const LONGEST_WAIT_MS = HOUR;

/**
 * A message did not arrive.
 * @param random from 0 to 1; spreads the tries @param retryAfter what the other side asks for, ms
 */
export function failed(
  sink: SinkState,
  error: string,
  at: number,
  random: number,
  retryAfter: number | undefined,
): SinkState {
  const failures = sink.failures + 1;
  const usual = failures > TRIES ? LATER_MS : FIRST_WAIT_MS * 2 ** (failures - 1);
  const wait = Math.min(LONGEST_WAIT_MS, Math.max(retryAfter ?? 0, usual * (0.5 + random / 2)));
  return { ...sink, failures, retryAt: at + wait, lastError: error };
}

/** All tries were in vain. */
export function isFailing({ failures }: SinkState): boolean {
  return failures > TRIES;
}

/** A sink that takes no good news forgets what is over. */
export function forgetOver(sink: SinkState, alerts: Alerts): SinkState {
  const kept = Object.entries(sink.told).filter(
    ([fingerprint]) => alerts.get(fingerprint)?.phase === 'firing',
  );
  return kept.length === Object.keys(sink.told).length ? sink : { ...sink, told: Object.fromEntries(kept) };
}
