import type { Clock } from '../../base/clock.ts';
import type { ScaleAnswer, ScaleChange } from '../../protocol/control.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ServiceStatus } from '../../protocol/status.ts';
import { exitCodeOf } from './changes.ts';
import type { ControlTarget } from './target.ts';

export interface Scaling {
  readonly sizes: Readonly<Record<string, number>>;
  readonly wait: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

/** One replica on its way, followed until it has come to rest. */
interface Watched {
  readonly name: string;
  readonly action: ScaleChange['action'];
  readonly before: ServiceStatus;
  after: ServiceStatus;
  outcome: 'changed' | 'failed' | undefined;
  took: number;
}

/** Asks for so many replicas and, unless told not to, waits until new ones are ready and old ones are gone. */
export async function scaleServices(
  target: ControlTarget,
  clock: Clock,
  { sizes, wait, timeout }: Scaling,
  signal: AbortSignal,
): Promise<ScaleAnswer> {
  const asked = clock.mono();
  const before = statusesOf(target);
  let watched: readonly Watched[] | undefined;
  const { promise: rested, resolve: rest } = Promise.withResolvers<void>();
  const look = () => {
    // Not asked yet: what happens now is none of ours.
    if (watched === undefined) return;
    const now = statusesOf(target);
    for (const one of watched) {
      if (one.outcome !== undefined) continue;
      const status = now.get(one.name);
      if (status !== undefined) one.after = status;
      one.outcome = outcomeOf(one.action, status);
      one.took = clock.mono() - asked;
    }
    if (watched.every(({ outcome }) => outcome !== undefined)) rest();
  };
  const unfollow = target.events.follow(look);
  try {
    const changes = await target.scale(sizes);
    const now = statusesOf(target);
    watched = changes.flatMap(({ service: name, action }) => {
      if (action === 'update') return [];
      const status = before.get(name) ?? now.get(name);
      return status ? [{ name, action, before: status, after: status, outcome: undefined, took: 0 }] : [];
    });
    look();
    if (wait) {
      const stopTimer = clock.after(timeout, rest);
      signal.addEventListener('abort', () => rest(), { once: true });
      await rested;
      stopTimer();
    }
  } finally {
    unfollow();
  }
  const changes = (watched ?? []).map(
    (one): ScaleChange => ({ ...one, outcome: one.outcome ?? (wait ? 'pending' : 'asked') }),
  );
  return { schemaVersion: SCHEMA_VERSION, changes, exitCode: exitCodeOf(changes) };
}

function statusesOf(target: ControlTarget): Map<string, ServiceStatus> {
  return new Map(target.product().services.map((service) => [service.name, service]));
}

/** One that is stopped is forgotten as soon as nothing of it lives. */
function outcomeOf(action: ScaleChange['action'], now: ServiceStatus | undefined): Watched['outcome'] {
  if (action === 'stop') return now === undefined || now.status === 'stopped' ? 'changed' : undefined;
  if (now === undefined || now.status === 'failed' || now.status === 'backoff') return 'failed';
  return now.status === 'ready' || now.status === 'done' ? 'changed' : undefined;
}
