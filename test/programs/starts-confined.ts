/**
 * Starts one child as PID 1 would, and prints what it wrote or why it was not started. Arguments: the options of the
 * spawn as JSON; `giveUp` of them first gives up our own privileges, which cannot be done in the process of a test.
 */
import { giveUpPrivileges } from '../../src/system/privileges.ts';
import { spawnProcess } from '../../src/system/process.ts';

const { giveUp, ...options } = JSON.parse(process.argv[2] ?? '{}');
if (giveUp) giveUpPrivileges();
const child = spawnProcess(
  { cwd: '/', env: { PATH: process.env.PATH ?? '' }, tag: `confined-${process.pid}:1`, ...options },
  {
    failed: (error) => console.log(`failed: ${error.message}`),
    ready: () => undefined,
    message: () => undefined,
    exited: ({ code }) => {
      if (code !== 0) console.log(`exit ${code}`);
    },
    emptied: () => undefined,
  },
);
child?.stdout.read(
  (chunk) => process.stdout.write(Buffer.from(chunk)),
  () => undefined,
);
child?.stderr.read(
  (chunk) => process.stdout.write(Buffer.from(chunk)),
  () => undefined,
);
