/** Runs the commands of a page as somebody would who reads it: in a shell, and at a terminal where something is asked. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../../src/system/users.ts';

export interface Reader {
  /** Where the commands are written down, and where they begin. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Another user than ours. */
  readonly user?: Identity | undefined;
}

export interface Followed {
  readonly code: number | null;
  readonly output: string;
}

/** Answers every question with yes. What the page names stands for what is there: `names`, the longest first. */
export function follow(
  text: string,
  names: Readonly<Record<string, string>>,
  reader: Reader,
): Promise<Followed> {
  const { folder, env, user } = reader;
  // At once: what stands for one name may hold another.
  const said = Object.keys(names).sort((a, b) => b.length - a.length);
  const any = new RegExp(said.map((name) => name.replaceAll(/[^\w\s]/g, '\\$&')).join('|') || '(?!)', 'g');
  const script = text.replaceAll(any, (name) => names[name] ?? name);
  const file = join(folder, 'commands.sh');
  writeFileSync(file, `${script}\n`, { mode: 0o644 });
  const shell = `bash -euo pipefail ${file}`;
  const [program, ...argv] = user
    ? ['bash', '-euo', 'pipefail', file]
    : // A terminal of its own; its words come to us through a pipe.
      ['script', '--quiet', '--flush', '--return', '--command', shell, '/dev/null'];
  const child = spawn(program ?? '', argv, {
    cwd: folder,
    env: { ...env, TERM: 'dumb' },
    stdio: 'pipe',
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  let output = '';
  let answered = 0;
  const hear = (chunk: string): void => {
    output += chunk;
    const asked = output.split('[y/N] ').length - 1;
    for (; answered < asked; answered += 1) child.stdin.write('y\n');
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      child.stdin.destroy();
      resolve({ code, output });
    });
  });
}
