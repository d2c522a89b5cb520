/** Timelines: each recovery to a moment begins one, and its history says where it left the one before. */

/** A stretch of the log: from where the timeline begins to where the next one left it. */
export interface Stretch {
  readonly timeline: number;
  readonly from: bigint;
  /** Undefined: the last one. */
  readonly to: bigint | undefined;
}

export interface Fork {
  readonly timeline: number;
  /** Where it was left. */
  readonly at: bigint;
}

/** Of `00000002.history`; undefined for any other name. */
export function parseHistoryName(name: string): number | undefined {
  const found = /^([0-9A-F]{8})\.history$/.exec(name);
  return found ? Number.parseInt(found[1] ?? '', 16) : undefined;
}

/** The ancestors, oldest first: lines of `1<tab>0/3000138<tab>reason`. */
export function parseHistory(text: string): Fork[] {
  return text.split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+([0-9A-F]{1,8})\/([0-9A-F]{1,8})/i.exec(line);
    if (!found) return [];
    const at = (BigInt(`0x${found[2]}`) << 32n) | BigInt(`0x${found[3]}`);
    return [{ timeline: Number(found[1]), at }];
  });
}

/** The way to a timeline from the beginning; `histories` by timeline. The first one has no history. */
export function stretchesOf(timeline: number, histories: ReadonlyMap<number, readonly Fork[]>): Stretch[] {
  const forks = histories.get(timeline) ?? [];
  const stretches: Stretch[] = [];
  let from = 0n;
  for (const fork of forks) {
    stretches.push({ timeline: fork.timeline, from, to: fork.at });
    from = fork.at;
  }
  return [...stretches, { timeline, from, to: undefined }];
}
