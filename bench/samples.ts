/** What repeated measurements come to. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @throws where there is no sample */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = [...samples].sort((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  const [low, high] = [sorted.at((sorted.length - 1) >> 1), sorted.at(sorted.length >> 1)];
  if (min === undefined || max === undefined || low === undefined || high === undefined) {
    throw new Error('there is no sample');
  }
  return { median: (low + high) / 2, min, max };
}

/** `median (min–max)`, divided by `unit`. */
export function describeSpread(samples: readonly number[], unit = 1, digits = 0): string {
  const { median, min, max } = spreadOf(samples);
  const [m, from, to] = [median, min, max].map((value) => (value / unit).toFixed(digits));
  return `${m} (${from}–${to})`;
}

/** `--name=value` of this script's arguments, as a number. */
export function readOption(name: string, otherwise: number): number {
  const prefix = `--${name}=`;
  const given = process.argv.find((argument) => argument.startsWith(prefix));
  if (given === undefined) return otherwise;
  const value = Number(given.slice(prefix.length));
  if (!Number.isFinite(value)) throw new Error(`${given}: not a number`);
  return value;
}

/** The smallest sample that so many of a hundred are not above; undefined: there is none. */
export function percentileOf(samples: readonly number[], percent: number): number | undefined {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
}
