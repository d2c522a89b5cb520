/** When a run is started again, and when it has given up: from `restart`, `backoff` and the exit codes. */
import { formatDuration } from '../base/duration.ts';
import type { RestartPlan, RunBase } from './plan-runs.ts';
import type { ServiceStanza } from './service-words.ts';
import type { Reading } from './shape.ts';
import { placeOfWord } from './words.ts';

export const DEFAULT_RESTART: RestartPlan = {
  policy: 'always',
  initialDelay: 500,
  maxDelay: 30_000,
  stableAfter: 10_000,
  giveUp: { limit: 5, window: 600_000 },
};

export function buildRestart(read: ServiceStanza, where: string, { problems }: Reading): RestartPlan {
  const { policy = 'always', limit: counted } = read.restart ?? {};
  const backoff = read.backoff;
  const limit = counted ?? backoff?.limit ?? DEFAULT_RESTART.giveUp?.limit ?? 0;
  // A count of retries is exact: how long they take does not matter, unless a window is asked for.
  const usual = counted === undefined ? (DEFAULT_RESTART.giveUp?.window ?? 0) : Number.POSITIVE_INFINITY;
  const window = backoff?.window ?? usual;
  const restart: RestartPlan = {
    policy,
    initialDelay: backoff?.initial ?? DEFAULT_RESTART.initialDelay,
    maxDelay: backoff?.max ?? DEFAULT_RESTART.maxDelay,
    stableAfter: backoff?.stable_after ?? DEFAULT_RESTART.stableAfter,
    // on-failure:0 tries never again, as in Docker; a limit of 0 in backoff never gives up.
    giveUp: counted === undefined && limit === 0 ? undefined : { limit, window },
  };
  if (counted !== undefined && backoff?.limit !== undefined) {
    problems.error(
      placeOfWord(backoff.at, 'limit'),
      'two-limits',
      `${where} has a limit in restart and one in backoff`,
      { suggestion: 'keep one of them' },
    );
  }
  const shortest = shortestGiveUp(restart);
  if (backoff && restart.giveUp && policy !== 'no' && shortest > window) {
    problems.warn(
      placeOfWord(backoff.at, backoff.window === undefined ? 'limit' : 'window'),
      'never-gives-up',
      `${where} can never give up: ${limit + 1} failures take at least ${formatDuration(shortest)}, the window is ${formatDuration(window)}`,
      { suggestion: `a window of ${Math.ceil(shortest / 500)}s, or a smaller limit` },
    );
  }
  return restart;
}

export function buildExitCodes(
  read: ServiceStanza,
  where: string,
  { problems }: Reading,
): Pick<RunBase, 'exitCodes'> {
  const [success = [], fatal = []] = [read.success_exit_codes, read.fatal_exit_codes];
  const both = fatal.find((code) => code === 0 || success.includes(code));
  if (both !== undefined) {
    problems.error(
      placeOfWord(read.at, 'fatal_exit_codes'),
      'two-meanings',
      `${where}: exit ${both} cannot be a success and fatal`,
      { suggestion: both === 0 ? 'drop 0: it is always a success' : 'keep one of them' },
    );
  }
  return success.length + fatal.length === 0 ? {} : { exitCodes: { success, fatal } };
}

/** The least time in which `limit` + 1 failures fit: the first restart is at once, then the waits double. */
function shortestGiveUp({ giveUp, initialDelay, maxDelay }: RestartPlan): number {
  let total = 0;
  for (let wait = 0; wait < (giveUp?.limit ?? 0) - 1; wait += 1) {
    total += Math.min(maxDelay, initialDelay * 2 ** Math.min(wait, 40));
  }
  return total;
}
