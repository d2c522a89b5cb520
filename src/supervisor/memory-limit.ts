/** How one start of a run is held to its memory: by the kernel where that lets us, else by looking. */
import type { LaunchPlan } from '../config/plan-jobs.ts';
import type { LaunchSource } from './launch-source.ts';

export interface MemoryLimit {
  /** The file by which it enters a group that the kernel holds to the limit; undefined: there is none. */
  readonly procs: string | undefined;
  /** Bytes: more than that, seen by us, is a restart, of a job its end. Undefined: nobody looks. */
  readonly watched: number | undefined;
  /** Whether a death by SIGKILL that was not ours was the kernel's, for want of memory. */
  claimOomKill(): boolean;
  /** Nothing of it lives. */
  end(): void;
}

/** Costs nothing where no limit is written. */
export function limitMemory(
  run: LaunchPlan,
  source: Pick<LaunchSource, 'openMemoryGroup' | 'claimOomKill'>,
): MemoryLimit {
  const memoryLimit = run.kind === 'task' ? undefined : run.memoryLimit;
  const memoryRestart = run.kind === 'service' ? run.memoryRestart : undefined;
  const group = memoryLimit === undefined ? undefined : source.openMemoryGroup(run.name, memoryLimit);
  const watched = [memoryRestart, group === undefined ? memoryLimit : undefined].filter(
    (limit) => limit !== undefined,
  );
  return {
    procs: group?.procs,
    watched: watched.length === 0 ? undefined : Math.min(...watched),
    claimOomKill: () => {
      if (group === undefined) return source.claimOomKill();
      const kills = group.oomKills();
      // The container counts them too, and must not explain somebody else's death by them.
      for (let left = kills; left > 0 && source.claimOomKill(); left -= 1);
      return kills > 0;
    },
    end: () => group?.remove(),
  };
}
