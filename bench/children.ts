import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Children {
  /** All are in here, and nothing else. */
  readonly folder: string;
  readonly sleeper: string;
  readonly writer: string;
  readonly orphans: string;
  readonly count: string;
}

/** Compiles the child programs: small static C, so that a child costs nothing and each figure is the supervisor's. */
export function buildChildren(folder: string): Children {
  mkdirSync(folder, { recursive: true });
  const build = (name: string): string => {
    const program = join(folder, name);
    const source = join(import.meta.dirname, 'children', `${name}.c`);
    execFileSync('cc', ['-static', '-O2', '-o', program, source], { stdio: 'inherit' });
    return program;
  };
  return {
    folder,
    sleeper: build('sleeper'),
    writer: build('writer'),
    orphans: build('orphans'),
    count: build('count'),
  };
}
