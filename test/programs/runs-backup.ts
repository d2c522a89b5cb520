/** Gives one of our programs its assignment as PID 1 would, and ends as it does: argv is the program, env the rest. */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';

const { ASSIGNMENT = '', RUN_AS_UID, RUN_AS_GID } = process.env;
const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const child = spawn(
  process.execPath,
  ['--disable-warning=ExperimentalWarning', main, 'program', process.argv[2] ?? ''],
  {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    ...(RUN_AS_UID === undefined ? {} : { uid: Number(RUN_AS_UID), gid: Number(RUN_AS_GID) }),
  },
);
const channel = child.stdio[3] as Socket;
channel.on('error', () => undefined);
channel.resume();
channel.write(`${ASSIGNMENT}\n`);
child.once('exit', (code) => process.exit(code ?? 1));
