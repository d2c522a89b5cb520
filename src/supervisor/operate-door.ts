/** The API's own door to PID 1: the control routes on a socket of its user, without what is for people alone. */
import { posix } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import { ensureDir, giveSocket } from '../system/files.ts';
import { findIdentity } from '../system/users.ts';
import { operateSocket } from './assign.ts';
import { type ControlServer, openControlServer } from './control/server.ts';
import type { ControlTarget } from './control/target.ts';
import { socketFiles } from './socket-files.ts';

export interface OperateDoor extends AsyncDisposable {
  /** Opens it where the plan has an API and it is not open yet. Never rejects: what fails is said. */
  ensure(plan: Plan): Promise<void>;
}

export interface OperateOptions {
  readonly target: ControlTarget;
  readonly clock: Clock;
  readonly runDir: string;
  /** We are root: the API has a user of its own. */
  readonly isolated: boolean;
  readonly say: (level: 'error', text: string) => void;
}

/** No command of anybody's choosing, and of our programs those that the API offers, and the one it needs. */
const RIGHTS = {
  exec: false,
  programs: [
    'backup',
    'verify-backups',
    'prune-backups',
    'pin-backup',
    'fetch-backup',
    'database-status',
    'command',
    'measure',
  ],
} as const;

export function createOperateDoor({ target, clock, runDir, isolated, say }: OperateOptions): OperateDoor {
  const path = operateSocket(runDir);
  let server: ControlServer | undefined;
  let owner: string | undefined;

  async function open(user: string): Promise<void> {
    const identity = isolated ? findIdentity(user) : undefined;
    ensureDir(posix.dirname(path), 0o700, identity);
    server ??= await openControlServer(target, [path], { clock, files: socketFiles, rights: RIGHTS });
    if (identity) giveSocket(path, identity);
    owner = user;
  }

  return {
    async ensure({ api }) {
      if (api === undefined || api.user === owner) return;
      try {
        await open(api.user);
      } catch (error) {
        say('error', `cannot open the socket of the API: ${messageOf(error)}`);
      }
    },
    async [Symbol.asyncDispose]() {
      await server?.close();
    },
  };
}
