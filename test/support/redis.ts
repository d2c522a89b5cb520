/** A real Redis on a port of its own, of Debian's redis-server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';

export class TestRedis {
  readonly folder = mkdtempSync(join(tmpdir(), 'bulkhead-redis-'));
  readonly port: number;
  #child: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves when it takes connections. */
  async start(...more: string[]): Promise<void> {
    const argv = [
      '--port',
      String(this.port),
      '--dir',
      this.folder,
      '--save',
      '',
      '--daemonize',
      'no',
      ...more,
    ];
    const child = spawn('redis-server', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      let log = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('Ready to accept connections')) resolve();
      });
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`redis-server ended with ${code}: ${log}`)));
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function makeRedis(...more: string[]): Promise<TestRedis> {
  const redis = new TestRedis((await freePorts(1))[0] ?? 0);
  await redis.start(...more);
  return redis;
}
