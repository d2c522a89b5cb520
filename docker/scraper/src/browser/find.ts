import { accessSync, constants } from 'node:fs';
import { basename } from 'node:path';
import { Problem } from '../problem.ts';

// The programs themselves, not Debian's scripts in /usr/bin: those add flags of their own and a shell.
const known = [
  '/usr/lib/chromium/chromium-headless-shell',
  '/usr/lib/chromium/chromium',
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The Chromium to use: CHROMIUM_PATH where it is set, else Debian's, the smaller one first. */
export function findChromium(asked: string | undefined): string {
  if (asked) {
    if (isProgram(asked)) return asked;
    throw new Problem(`cannot start Chromium: CHROMIUM_PATH is ${asked}, and there is no such program`);
  }
  const found = known.find(isProgram);
  if (found) return found;
  throw new Problem(
    'cannot find Chromium: install chromium-headless-shell or chromium, or set CHROMIUM_PATH',
  );
}

/** A headless shell has no other mode; a whole Chromium has to be told. */
export function isHeadlessShell(path: string): boolean {
  return basename(path).includes('headless');
}
