/**
 * Kills PID 1, and with it everything, at random moments of a piece of work; lets it be done once undisturbed; and asks
 * what of the result contradicts its invariant. The same moments for the same seed.
 *
 * A volume is killed on until a run was done before its kill came, so that kills fall into every phase, also into the
 * clean-up after earlier kills.
 */
import { type NamespaceRun, runInNamespace } from './namespace-run.ts';
import { makeRandom } from './random.ts';

/** One volume and the work on it. */
export interface Trial {
  /** The work that is killed; it runs as PID 1 of a PID namespace. */
  readonly work: Work;
  /** What is let through to its end after the kills; undefined: the same work again. */
  readonly recovery?: Work | undefined;
  /**
   * Everything that contradicts the invariant, a sentence each. Asked when the undisturbed run is done: one with
   * `done` still runs then, any other has ended.
   */
  violations(): Promise<readonly string[]>;
  remove(): Promise<void> | void;
}

export interface Work {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when the work is done though it runs on, as a boot is when it serves. Undefined: it is done when it ends 0. */
  readonly done?: (run: NamespaceRun, gone: AbortSignal) => Promise<void>;
}

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Kills come 0 to this many ms after the start; undefined: as long as one undisturbed run takes, and a tenth more. */
  readonly within?: number | undefined;
  /** How many volumes at a time; 1 if undefined. */
  readonly lanes?: number | undefined;
  /** A fresh volume. */
  prepare(): Promise<Trial>;
  /** Told after each volume. */
  onVolume?(volume: KilledVolume): void;
}

export interface KilledVolume {
  /** When each kill came, in ms after its start; `done`: the work was done by then. */
  readonly kills: readonly { readonly after: number; readonly done: boolean }[];
  readonly violations: readonly string[];
}

export interface KillReport {
  readonly kills: number;
  /** Of them, those that came before the work was done. */
  readonly early: number;
  readonly volumes: number;
  /** Runs, the undisturbed ones included. */
  readonly runs: number;
  /** How long an undisturbed run took, in ms; undefined where `within` was given. */
  readonly undisturbed: number | undefined;
  readonly violations: readonly string[];
}

const MOST_KILLS_PER_VOLUME = 8;
const PATIENCE_MS = 120_000;

export async function killAndLook(options: KillOptions): Promise<KillReport> {
  const undisturbed = options.within === undefined ? await measure(options) : undefined;
  const within = options.within ?? (undisturbed ?? 0) * 1.1;
  const volumes: KilledVolume[] = [];
  let runs = undisturbed === undefined ? 0 : 1;
  let left = options.kills;
  let begun = 0;
  const work = async (): Promise<void> => {
    while (left > 0) {
      // A sequence of its own for each volume, whatever the others do meanwhile.
      const random = makeRandom(options.seed * 1000 + begun);
      begun += 1;
      const volume = await killOne(options, { take: () => left-- > 0, nextMoment: () => random() * within });
      volumes.push(volume);
      runs += volume.kills.length + 1;
      if (begun > 10 * options.kills) throw new Error('nearly no run lasts long enough to be killed');
      options.onVolume?.(volume);
    }
  };
  await Promise.all(Array.from({ length: options.lanes ?? 1 }, work));
  const kills = volumes.flatMap((volume) => volume.kills);
  return {
    kills: kills.length,
    early: kills.filter(({ done }) => !done).length,
    volumes: volumes.length,
    runs,
    undisturbed,
    violations: volumes.flatMap((volume) => volume.violations),
  };
}

/** Undisturbed from the beginning, it must be whole: else the violations of killed ones would mean nothing. */
async function measure({ prepare }: KillOptions): Promise<number> {
  const trial = await prepare();
  try {
    const { work, recovery } = trial;
    const start = performance.now();
    let took = 0;
    const violations = await letThrough(work, async () => {
      took = performance.now() - start;
      // What another run brings up cannot be looked at before that.
      return recovery === undefined ? trial.violations() : letThrough(recovery, () => trial.violations());
    });
    if (violations.length > 0)
      throw new Error(`not even an undisturbed run is whole: ${violations.join('; ')}`);
    return took;
  } finally {
    await trial.remove();
  }
}

async function killOne(
  { prepare }: KillOptions,
  { take, nextMoment }: { take(): boolean; nextMoment(): number },
): Promise<KilledVolume> {
  const trial = await prepare();
  try {
    const kills: { after: number; done: boolean }[] = [];
    const violations: string[] = [];
    while (kills.length < MOST_KILLS_PER_VOLUME && take()) {
      const after = nextMoment();
      const outcome = await killAfter(trial.work, after);
      if (outcome === 'over') break;
      kills.push({ after, done: outcome === 'done' });
      if (outcome === 'done') break;
      if (typeof outcome === 'object') {
        violations.push(`a run that was to be killed after ${Math.round(after)} ms ${outcome.failed}`);
        break;
      }
    }
    violations.push(...(await letThrough(trial.recovery ?? trial.work, () => trial.violations())));
    return { kills, violations };
  } finally {
    await trial.remove();
  }
}

/** `done`: killed while it ran on; `over`: it had ended well before its kill; `failed`: it had ended otherwise. */
async function killAfter(
  work: Work,
  after: number,
): Promise<'killed' | 'done' | 'over' | { readonly failed: string }> {
  const run = runInNamespace(work.command, work);
  const gone = new AbortController();
  let done = false;
  void work.done?.(run, gone.signal).then(
    () => {
      done = true;
    },
    () => undefined,
  );
  const timer = Promise.withResolvers<'due'>();
  const handle = setTimeout(() => timer.resolve('due'), after);
  const first = await Promise.race([timer.promise, run.ended]);
  clearTimeout(handle);
  await run.kill();
  gone.abort();
  if (first === 'due') return done ? 'done' : 'killed';
  return first === 0 ? 'over' : { failed: `ended ${first}: ${lastLines(run)}` };
}

async function letThrough(work: Work, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const run = runInNamespace(work.command, work);
  const gone = new AbortController();
  const timer = setTimeout(() => void run.kill(), PATIENCE_MS);
  void run.ended.then(() => gone.abort());
  try {
    if (work.done === undefined) {
      const code = await run.ended;
      return code === 0 ? await tryLook(look) : [`the undisturbed run ended ${code}: ${lastLines(run)}`];
    }
    const done = work.done(run, gone.signal).then(() => 'done' as const);
    // Its rejection is the end it is raced against.
    done.catch(() => undefined);
    const first = await Promise.race([done.catch(() => run.ended), run.ended]);
    if (first !== 'done') return [`the undisturbed run ended ${first} before it was done: ${lastLines(run)}`];
    const violations = await tryLook(look);
    const code = await run.stop();
    return code === 0 ? violations : [...violations, `asked to stop it ended ${code}: ${lastLines(run)}`];
  } finally {
    clearTimeout(timer);
    await run.kill();
  }
}

/** What cannot even be looked at is not whole. */
async function tryLook(look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await look();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function lastLines(run: NamespaceRun): string {
  return run.output().trim().split('\n').slice(-8).join(' | ');
}
