export function medianOf(values: readonly number[]): number {
  return percentileOf(values, 0.5);
}

/** NaN of nothing. The nearest rank: always a value that was measured. */
export function percentileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
