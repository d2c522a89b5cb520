import { prctl } from './browser/native.ts';

const PR_SET_DUMPABLE = 4;

/**
 * From now on nobody of our uid, so no browser of ours, can look into our memory, our environment or our files in
 * /proc: there are the database's password and Gemini's key. prctl(2)
 */
export function closeMemory(): void {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
