/** One supervisor at work, and what its children have said. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Children } from './children.ts';
import type { Contender, Peer, Service, Wish } from './peers/peer.ts';
import { ownProcesses } from './processes.ts';

export interface Stamp {
  /** CLOCK_MONOTONIC, ms: the clock of `clockMs` too. */
  readonly at: number;
  readonly index: number;
  readonly pid: number;
}

/** The kernel's CLOCK_MONOTONIC in ms, as the C children read it. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const STAMP_BYTES = 16;

export interface SessionOptions {
  readonly peer: Peer;
  readonly children: Children;
  readonly services: (paths: { readonly stamps: string; readonly alive: string }) => readonly Service[];
  readonly wish?: Partial<Omit<Wish, 'services'>>;
  /** As PID 1 of a PID namespace of its own. */
  readonly asInit?: boolean;
}

let sessions = 0;

export class Session {
  readonly contender: Contender;
  readonly startedAt: number;
  private readonly folder: string;
  private readonly stampFile: string;
  private readonly aliveFd: number;
  private readonly options: SessionOptions;
  private readonly child: ChildProcess;
  private readonly ended: Promise<number>;

  constructor(options: SessionOptions) {
    this.options = options;
    sessions += 1;
    this.folder = join(options.children.folder, '..', `${options.peer.name}-${sessions}`);
    mkdirSync(this.folder, { recursive: true });
    this.stampFile = join(this.folder, 'stamps');
    writeFileSync(this.stampFile, '');
    const alive = join(this.folder, 'alive');
    spawnSync('mkfifo', [alive]);
    // Children that are other users write there too.
    for (const path of [this.stampFile, alive]) chmodSync(path, 0o666);
    this.aliveFd = openSync(alive, constants.O_RDONLY | constants.O_NONBLOCK);
    const services = options.services({ stamps: this.stampFile, alive });
    this.contender = options.peer.prepare(this.folder, {
      services,
      fast: false,
      logged: false,
      confined: false,
      ...options.wish,
    });
    const init = options.asInit ? ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] : [];
    const [program = '', ...args] = [...init, ...this.contender.argv];
    const output = openSync(join(this.folder, 'errors'), 'a');
    this.startedAt = clockMs();
    this.child = spawn(program, args, {
      cwd: this.folder,
      env: { ...this.environment(), ...this.contender.env },
      stdio: ['ignore', 'ignore', output],
      detached: true,
    });
    closeSync(output);
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', () => resolve(clockMs()));
    });
    this.ended.catch(() => undefined);
  }

  /** The supervisor as seen from here, also where it is PID 1 of a namespace. */
  get pid(): number {
    const pid = this.child.pid ?? 0;
    if (!this.options.asInit) return pid;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')[0]);
  }

  own(): number[] {
    return ownProcesses(this.pid, this.options.children.folder);
  }

  stamps(): Stamp[] {
    const bytes = readFileSync(this.stampFile);
    return Array.from({ length: Math.floor(bytes.length / STAMP_BYTES) }, (_, number) => {
      const from = number * STAMP_BYTES;
      const at = Number(bytes.readBigUInt64LE(from)) / 1e6;
      return { at, index: bytes.readUInt32LE(from + 8), pid: bytes.readUInt32LE(from + 12) };
    });
  }

  /** Waits until so many starts were written down; a figure never comes from the waiting, only from the stamps. */
  async waitForStamps(count: number, ms = 60_000): Promise<Stamp[]> {
    const until = clockMs() + ms;
    while (statSync(this.stampFile).size < count * STAMP_BYTES) {
      if (clockMs() > until) throw new Error(`${this.options.peer.name}: ${this.describe(count)}`);
      await sleep(4);
    }
    return this.stamps();
  }

  private describe(count: number): string {
    const errors = readFileSync(join(this.folder, 'errors'), 'utf8').slice(-2000);
    return `only ${this.stamps().length} of ${count} starts\n${errors}`;
  }

  /** Asks it to stop everything. Resolves with the ms until its last child and its own first process were gone. */
  async stop(): Promise<number> {
    const asked = clockMs();
    const lastChild = new Promise<number>((resolve) => {
      // The last writer's death is the end of the FIFO.
      const socket = new Socket({ fd: this.aliveFd, readable: true, writable: false });
      socket.on('end', () => {
        resolve(clockMs());
        socket.destroy();
      });
      socket.on('error', () => resolve(clockMs()));
      socket.resume();
    });
    this.contender.stop(this.child);
    const gone = await Promise.all([lastChild, this.ended]);
    this.forget();
    return Math.max(...gone) - asked;
  }

  /** Without asking: whatever is left of it. */
  async kill(): Promise<void> {
    const family = this.own();
    const stamped = this.options.asInit ? [] : this.stamps().map(({ pid }) => pid);
    for (const pid of [...family, this.child.pid ?? 0, ...stamped]) {
      try {
        if (pid > 1) process.kill(pid, 'SIGKILL');
      } catch {
        // Gone by itself.
      }
    }
    await this.ended;
    closeSync(this.aliveFd);
    this.forget();
  }

  /** The environment without what npm has put into it: a bigger one would cost every spawn. */
  environment(): Record<string, string> {
    const { PATH = '', HOME = '/' } = process.env;
    const [bin = ''] = [join(process.execPath, '..')];
    return {
      PATH: `${bin}:${PATH.split(':')
        .filter((folder) => !folder.includes('node_modules'))
        .join(':')}`,
      HOME,
    };
  }

  private forget(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The usual children: `count` sleepers. */
export function sleepers(count: number, children: Children): SessionOptions['services'] {
  return ({ stamps, alive }) =>
    Array.from({ length: count }, (_, number) => ({
      name: `s${number + 1}`,
      argv: [children.sleeper, stamps, alive, String(number + 1)],
    }));
}
