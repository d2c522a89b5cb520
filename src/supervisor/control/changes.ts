import type { Clock } from '../../base/clock.ts';
import { Failure } from '../../base/errors.ts';
import type { ChangeAction, ChangeAnswer, ServiceChange } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ProductStatus, ServiceStatus } from '../../protocol/status.ts';
import { listMeant } from './known-services.ts';
import type { ControlTarget } from './target.ts';

export interface Change {
  readonly action: ChangeAction;
  readonly names: readonly string[];
  /** Of a restart: with all that depends on them. */
  readonly dependents?: boolean;
  readonly wait: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

/**
 * Asks for a change and, unless told not to, follows events until each service has come to rest or the time is up.
 * An abort (the client has gone) only ends the waiting.
 */
export async function changeServices(
  target: ControlTarget,
  clock: Clock,
  change: Change,
  signal: AbortSignal,
): Promise<ChangeAnswer> {
  const { services } = target.product();
  let before = listMeant(target.product(), change.names);
  const names = before.map(({ name }) => name);
  if (change.action !== 'stop') refuseDisabled(before);
  const asked = clock.mono();
  const took = new Map<string, number>();
  // Listening starts before asking: a change that happens at once must not be missed.
  const changed = new Set<string>();
  const { promise: rested, resolve: rest } = Promise.withResolvers<void>();
  const look = () => {
    const now = target.product();
    for (const old of before) {
      if (took.has(old.name)) continue;
      const state = outcomeOf(change.action, old, findAgain(now, old), changed.has(old.name));
      if (state !== undefined) took.set(old.name, clock.mono() - asked);
    }
    if (took.size === before.length) rest();
  };
  const unfollow = target.events.follow((event) => {
    if ('service' in event) changed.add(event.service);
    look();
  });
  try {
    if (change.dependents === true) {
      const again = new Set(target.restartTree(names));
      before = services.filter(({ name }) => again.has(name));
    } else {
      target[change.action](names);
    }
    if (change.wait) {
      look();
      const stopTimer = clock.after(change.timeout, rest);
      signal.addEventListener('abort', () => rest(), { once: true });
      await rested;
      stopTimer();
    }
  } finally {
    unfollow();
  }
  const after = target.product();
  const changes = before.map((old): ServiceChange => {
    const now = findAgain(after, old);
    const state = outcomeOf(change.action, old, now, changed.has(old.name));
    return {
      name: old.name,
      outcome: state ?? (change.wait ? 'pending' : 'asked'),
      before: old,
      after: now,
      took: took.get(old.name) ?? clock.mono() - asked,
      ...(change.action === 'stop' ? leftRunning(target, old.name, names) : {}),
    };
  });
  return { schemaVersion: SCHEMA_VERSION, action: change.action, changes, exitCode: exitCodeOf(changes) };
}

/** Those that are stopped with it need nothing said. */
function leftRunning(
  target: ControlTarget,
  name: string,
  stopped: readonly string[],
): Pick<ServiceChange, 'neededBy'> {
  const neededBy = target.neededBy(name).filter((other) => !stopped.includes(other));
  return neededBy.length === 0 ? {} : { neededBy };
}

const GONE = 'no longer in the plan';

/** A reload or a scaling may take it away while we wait for it. */
export function findAgain(product: ProductStatus, old: ServiceStatus): ServiceStatus {
  const found = product.services.find(({ name }) => name === old.name);
  return found ?? { ...old, status: 'stopped', reason: GONE, pid: undefined };
}

export function exitCodeOf(changes: readonly Pick<ServiceChange, 'outcome'>[]): number {
  if (changes.some((change) => change.outcome === 'failed')) return CommandExit.failed;
  return changes.some((change) => change.outcome === 'pending') ? CommandExit.timedOut : CommandExit.ok;
}

export function refuseDisabled(services: readonly ServiceStatus[]): void {
  const off = services.find((service) => service.status === 'disabled');
  if (!off) return;
  throw new Failure(
    `cannot start ${off.name}: it is disabled${off.reason === '' ? '' : ` (${off.reason})`}`,
    {
      code: 'disabled',
      remedy: `switch it on with BULKHEAD_ENABLE=${off.name} or a higher tier, and start Bulkhead again`,
      exitCode: CommandExit.refused,
    },
  );
}

/**
 * How the change ended, or undefined while it has not. A service that falls into backoff after it was asked to start
 * counts as failed: the person should hear of it now, though it will be tried again.
 */
function outcomeOf(
  action: ChangeAction,
  before: ServiceStatus,
  now: ServiceStatus,
  announced: boolean,
): 'changed' | 'unchanged' | 'failed' | undefined {
  if (now.reason === GONE && action !== 'stop') return 'failed';
  const isNew = now.generation > before.generation;
  switch (now.status) {
    case 'ready':
    case 'done':
      if (action === 'stop') return now.status === 'done' ? 'unchanged' : undefined;
      if (isNew) return 'changed';
      if (action === 'restart') return undefined;
      if (now.status === 'ready') return before.status === 'ready' ? 'unchanged' : 'changed';
      return undefined;
    case 'stopped':
    case 'disabled':
      if (action !== 'stop') return undefined;
      return before.status === now.status ? 'unchanged' : 'changed';
    case 'failed':
    case 'backoff':
      if (action !== 'stop') return isNew || announced ? 'failed' : undefined;
      return now.status === 'failed' && now.pid === undefined ? 'unchanged' : undefined;
    default:
      return undefined;
  }
}
