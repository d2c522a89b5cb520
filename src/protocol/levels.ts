import type { LogLevel } from '../config/plan.ts';

/** Pino's numbers, which its readers sort and filter by. */
export const LEVEL_NUMBERS: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};

/** Words other loggers use (winston, bunyan, Python, PostgreSQL's jsonlog), in pino's numbers. */
const OTHER_WORDS: Readonly<Record<string, number>> = {
  verbose: 10,
  silly: 10,
  notice: 30,
  log: 30,
  http: 30,
  warning: 40,
  critical: 60,
  panic: 60,
};

/** A level as any logger writes it, as pino's number; undefined where it says nothing. */
export function levelNumber(level: unknown): number | undefined {
  if (typeof level === 'number' && Number.isFinite(level)) return level;
  if (typeof level !== 'string') return undefined;
  const word = level.toLowerCase();
  const known = Object.hasOwn(LEVEL_NUMBERS, word) ? LEVEL_NUMBERS[word as LogLevel] : undefined;
  if (known !== undefined && Number.isFinite(known)) return known;
  return Object.hasOwn(OTHER_WORDS, word) ? OTHER_WORDS[word] : undefined;
}

/** The word for a number, for people: `WARN` for 40 to 49. */
export function levelWord(level: number): string {
  if (level >= 60) return 'FATAL';
  if (level >= 50) return 'ERROR';
  if (level >= 40) return 'WARN';
  if (level >= 30) return 'INFO';
  return level >= 20 ? 'DEBUG' : 'TRACE';
}
