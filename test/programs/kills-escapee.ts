/** Starts a service of another user whose child leaves its session, kills the leader, then everything, and tells. */
import { readFileSync } from 'node:fs';
import { codeOf } from '../../src/base/errors.ts';
import { giveUpPrivileges } from '../../src/system/privileges.ts';
import { spawnProcess } from '../../src/system/process.ts';
import { startReaper } from '../../src/system/reaper.ts';

if (process.argv[2] === 'given-up') giveUpPrivileges();
startReaper();
const child = spawnProcess(
  {
    argv: ['sh', '-c', 'setsid sh -c "echo escaped; exec sleep 30" & wait'],
    cwd: '/',
    env: { PATH: process.env.PATH ?? '' },
    tag: 'escapee:1',
    identity: { uid: 65534, gid: 65534, groups: [], name: 'nobody' },
  },
  {
    failed: (error) => console.log(error.message),
    ready: () => undefined,
    message: () => undefined,
    exited: () => {
      console.log('exited');
      console.log(`reached ${child?.signal('SIGKILL', 'everything')}`);
    },
    emptied: () => {
      console.log('emptied');
      process.exit(0);
    },
  },
);
child?.stdout.read(
  () => {
    try {
      readFileSync(`/proc/${child.pid}/environ`);
      console.log('environ open');
    } catch (error) {
      console.log(`environ closed: ${codeOf(error)}`);
    }
    child.signal('SIGKILL', 'leader');
  },
  () => undefined,
);
