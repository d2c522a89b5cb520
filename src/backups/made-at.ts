/**
 * When backups were made, as far as it can be told: a clock may have been wrong for a while, and what it said then stands
 * in the manifests for ever. The numbers tell the order in which they were made, and the clock of now is taken for right.
 * As many as possible are believed: the most whose times rise with their numbers up to now. What the others say cannot
 * be, and they lie evenly between their neighbours. Where no clock was wrong, everything is as it is written. Pure.
 */

export interface Made {
  /** Milliseconds since the epoch, as the manifest says. */
  readonly time: number;
}

/**
 * @param lastFirst by the order in which they were made
 * @param now milliseconds since the epoch
 * @param period how often one is usually made, ms
 * @returns the times, in the order given, each no later than the one before it, and none later than `now`
 */
export function whenMade(lastFirst: readonly Made[], now: number, period: number): readonly number[] {
  const times = lastFirst.map(({ time }) => time);
  if (times.every((time, at) => time <= (times[at - 1] ?? now))) return times;
  const believed = mostThatFall(times, now);
  const found: number[] = [];
  /** The nearest later moment that is believed, and its place. */
  let [later, laterAt] = [now, -1];
  for (let at = 0; at < times.length; at += 1) {
    if (!believed.has(at)) continue;
    const time = times[at] ?? now;
    for (let between = laterAt + 1; between < at; between += 1) {
      found[between] = later - ((later - time) * (between - laterAt)) / (at - laterAt);
    }
    found[at] = time;
    [later, laterAt] = [time, at];
  }
  // Older than all that are believed: so far apart as their own clock said.
  for (let at = laterAt + 1; at < times.length; at += 1) {
    const apart = (times[at - 1] ?? now) - (times[at] ?? now);
    later -= at > laterAt + 1 && apart >= 0 ? apart : period;
    found[at] = later;
  }
  return found;
}

/** The places of the longest part of a list that begins at or below `now` and never rises. */
function mostThatFall(times: readonly number[], now: number): ReadonlySet<number> {
  /** For each: how many can follow on from it towards the old, itself included; and which is the next. */
  const lengths: number[] = [];
  const next: (number | undefined)[] = [];
  let best: number | undefined;
  for (let at = times.length - 1; at >= 0; at -= 1) {
    const time = times[at] ?? now;
    lengths[at] = 1;
    for (let older = at + 1; older < times.length; older += 1) {
      if ((times[older] ?? now) > time || (lengths[older] ?? 0) < (lengths[at] ?? 0)) continue;
      lengths[at] = (lengths[older] ?? 0) + 1;
      next[at] = older;
    }
    if (time <= now && (best === undefined || (lengths[at] ?? 0) >= (lengths[best] ?? 0))) best = at;
  }
  const places = new Set<number>();
  for (let at = best; at !== undefined; at = next[at]) places.add(at);
  return places;
}
