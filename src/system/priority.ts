import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Best effort: lowering needs CAP_SYS_NICE, and a child may be gone already. */
export function setNice(pid: number, nice: number | undefined): void {
  if (nice === undefined) return;
  try {
    setPriority(pid, nice);
  } catch {
    // It runs, only not with that priority.
  }
}

/** Best effort: raising is always allowed, lowering needs CAP_SYS_RESOURCE. */
export function setOomScore(pid: number, score: number | undefined): void {
  if (score === undefined) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
  } catch {
    // It runs, only not with that score.
  }
}

/** 0 where the kernel tells nothing. */
export function readOwnOomScore(): number {
  try {
    return Number(readFileSync('/proc/self/oom_score_adj', 'latin1')) || 0;
  } catch {
    return 0;
  }
}
