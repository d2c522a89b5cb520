import { join } from 'node:path';
import { type Allowed, readAllowed } from './net/allowed.ts';
import { PRODUCT_TOKEN } from './net/robots.ts';
import { Problem } from './problem.ts';

/** All that a scrape obeys, from the environment. Times in milliseconds, sizes in bytes. */
export interface Settings {
  readonly databaseUrl: string | undefined;
  /** Where logos/ and screenshots/ are. */
  readonly assets: string;
  readonly chromium: string | undefined;
  readonly allowed: Allowed;
  /** What is added to the browser's own name. */
  readonly agent: string;
  /** Of one page, from the first byte asked to the last script run. */
  readonly pageTimeoutMs: number;
  /** Of the whole job; the browser is killed then. */
  readonly deadlineMs: number;
  readonly mostBytes: number;
  readonly mostRedirects: number;
  readonly mostPixels: number;
  readonly gemini: { readonly key: string; readonly baseUrl: string; readonly model: string } | undefined;
  readonly staleAfterMs: number;
  readonly batch: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A whole number of the environment; empty is unset. */
function number(environment: Environment, name: string, unset: number, least: number, most: number): number {
  const text = environment[name]?.trim();
  if (!text) return unset;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Problem(`cannot read ${name}: "${text}" is not a whole number from ${least} to ${most}`);
}

const MB = 1024 * 1024;
/** Of the job's time limit, what is ours: the rest is for PID 1 to find out that we failed at it. */
const SHARE_OF_JOB_TIMEOUT = 0.9;

export function readSettings(environment: Environment): Settings {
  const seconds = (name: string, unset: number) => number(environment, name, unset, 1, 86_400) * 1000;
  const limit = seconds('JOB_TIMEOUT', 300) * SHARE_OF_JOB_TIMEOUT;
  const deadlineMs = Math.min(seconds('SCRAPER_DEADLINE', 90), limit);
  const key = environment.GEMINI_API_KEY?.trim();
  return {
    databaseUrl: environment.DATABASE_URL?.trim() || undefined,
    assets: join(environment.BULKHEAD_DATA?.trim() || '/data', 'assets'),
    chromium: environment.CHROMIUM_PATH?.trim() || undefined,
    allowed: readAllowed(environment.SCRAPER_ALLOW_PRIVATE ?? ''),
    agent: environment.SCRAPER_USER_AGENT?.trim() || `${PRODUCT_TOKEN}/1.0`,
    pageTimeoutMs: Math.min(seconds('SCRAPER_PAGE_TIMEOUT', 30), deadlineMs),
    deadlineMs,
    mostBytes: number(environment, 'SCRAPER_MAX_PAGE_MB', 30, 1, 1000) * MB,
    mostRedirects: number(environment, 'SCRAPER_MAX_REDIRECTS', 5, 0, 20),
    mostPixels: 40_000_000,
    gemini: key
      ? {
          key,
          baseUrl: environment.GEMINI_BASE_URL?.trim() || 'https://generativelanguage.googleapis.com',
          model: environment.GEMINI_MODEL?.trim() || 'gemini-2.5-flash',
        }
      : undefined,
    staleAfterMs: number(environment, 'SCRAPER_STALE_DAYS', 30, 1, 3650) * 86_400_000,
    batch: number(environment, 'SCRAPER_BATCH', 100, 1, 10_000),
  };
}
