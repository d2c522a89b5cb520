/** The state of the product for who watches it: whole at first, then what has changed, at most once a second. */
import type { ProductStatus, ServiceStatus } from '../protocol/status.ts';
import type { Operate } from './operate.ts';

/** What is sent: `whole` with everything, later only what is otherwise than before. */
export interface StateFrame extends Partial<Omit<ProductStatus, 'services' | 'supervisor'>> {
  readonly whole: boolean;
  /** Those that are otherwise, as they are now. */
  readonly services: readonly ServiceStatus[];
  /** Names of those that are not there any more. */
  readonly gone: readonly string[];
}

export interface StateFeed {
  /** Everything as it is now; what changes from then on is told to `onChange`. */
  whole(): Promise<StateFrame>;
  /** Something has happened: what it changed is looked for, soon. */
  poke(): void;
  close(): void;
}

const SHORTEST_MS = 1000;

export function createStateFeed(
  operate: Pick<Operate, 'get'>,
  onChange: (frame: StateFrame) => void,
  shortestMs: number = SHORTEST_MS,
): StateFeed {
  let known: Known | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<Known> {
    lookedAt = performance.now();
    const { supervisor: _moment, ...product } = await operate.get<ProductStatus>('/v1/status');
    const next = readKnown(product);
    const frame = known && difference(known, next);
    known = next;
    if (frame !== undefined) onChange(frame);
    return next;
  }

  return {
    async whole() {
      const { rest, services } = await look();
      return { whole: true, ...rest, services: [...services.values()].map(({ status }) => status), gone: [] };
    },
    poke() {
      if (timer !== undefined) return;
      const wait = Math.max(SOON_MS, lookedAt + shortestMs - performance.now());
      timer = setTimeout(() => {
        timer = undefined;
        // PID 1 is away: the next event, or the next look by the clock, finds it again.
        look().catch(() => undefined);
      }, wait);
      timer.unref();
    },
    close: () => clearTimeout(timer),
  };
}

/** What happens at once is told at once. */
const SOON_MS = 20;

interface Known {
  readonly rest: Partial<ProductStatus>;
  readonly services: ReadonlyMap<string, { readonly status: ServiceStatus; readonly key: string }>;
}

function readKnown({ services, ...rest }: ProductStatus): Known {
  return {
    rest,
    services: new Map(services.map((status) => [status.name, { status, key: keyOf(status) }])),
  };
}

/** Each probe of a check takes another time: that is no news. */
function keyOf({ check, ...status }: ServiceStatus): string {
  return JSON.stringify([status, check?.up, check?.failures, check?.lastError]);
}

/** Undefined: nothing is otherwise. */
function difference(before: Known, after: Known): StateFrame | undefined {
  const services = [...after.services]
    .filter(([name, { key }]) => before.services.get(name)?.key !== key)
    .map(([, { status }]) => status);
  const gone = [...before.services.keys()].filter((name) => !after.services.has(name));
  const rest = Object.fromEntries(
    Object.entries(after.rest).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(before.rest, key)),
    ),
  );
  if (services.length === 0 && gone.length === 0 && Object.keys(rest).length === 0) return undefined;
  return { whole: false, ...rest, services, gone };
}
