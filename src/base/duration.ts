const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A Compose duration (`1m30s`, `500ms`, `1.5h`) in milliseconds, or undefined where the text is none.
 * Compose Specification, "Specifying durations"; `d` is ours. A bare `0` is the only number that needs no unit.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h|d))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  }
  return total;
}

/** Milliseconds for people, at most two units: `850 ms`, `3.2 s`, `2 min 5 s`, `3 h 12 min`, `4 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  const [big, bigName] = units[first] ?? [1, 's'];
  const [small, smallName] = units[first + 1] ?? [1, 's'];
  const rest = Math.floor((seconds % big) / small);
  return rest > 0 && small < big
    ? `${Math.floor(seconds / big)} ${bigName} ${rest} ${smallName}`
    : `${Math.floor(seconds / big)} ${bigName}`;
}
