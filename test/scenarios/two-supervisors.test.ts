/** One volume is for one supervisor, whatever namespaces stand between two. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts, bulkhead as program, startSupervisor } from '../support/supervisor.ts';

const isRoot = process.geteuid?.() === 0;
const PLAN = 'version: 1\ndatabase: { name: two, user: two }\n';
const UP = [process.execPath, '--disable-sigusr1', program, 'up'];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-two-'));
  // The database's own user has to pass.
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function databasePort(): Promise<Record<string, string>> {
  const [port] = await freePorts(1);
  return { BULKHEAD_DB_PORT: String(port) };
}

/** What a second start would make, move or write anew. */
function look(dataDir: string): unknown {
  return {
    names: readdirSync(dataDir).sort(),
    pg: readdirSync(join(dataDir, 'pg')).sort(),
    secrets: readdirSync(join(dataDir, 'secrets')).map((name) =>
      readFileSync(join(dataDir, 'secrets', name), 'utf8'),
    ),
    identity: readFileSync(join(dataDir, 'bulkhead', 'identity.json'), 'utf8'),
    server: readFileSync(join(dataDir, 'pg', 'current', 'postmaster.pid'), 'utf8').split('\n')[0],
  };
}

describe.runIf(isRoot)('a second supervisor, PID 1 of its own namespace as the first', () => {
  test('case 12: on the same volume ends 75 and touches nothing', async () => {
    await using first = await startSupervisor({
      plan: PLAN,
      folder,
      namespace: true,
      env: await databasePort(),
    });
    await first.ready();
    // Nobody asks a server that says of itself that it is starting: that would stand in its log.
    expect(first.log('database')).not.toContain('FATAL');
    const before = look(first.dataDir);
    await using second = await startSupervisor({
      plan: PLAN,
      folder,
      namespace: true,
      env: await databasePort(),
    });
    expect((await second.finished).code).toBe(75);
    expect(second.output()).toContain(
      `cannot use the data folder ${first.dataDir}: another supervisor uses it`,
    );
    expect(look(first.dataDir)).toEqual(before);
    expect((await first.status()).overall).toBe('pass');
    expect((await first.stop()).code).toBe(0);
  });

  test('case 12: on another volume with the same cluster folder mounted ends 75 and touches nothing', async () => {
    await using first = await startSupervisor({
      plan: PLAN,
      folder,
      namespace: true,
      env: await databasePort(),
    });
    await first.ready();
    const before = look(first.dataDir);
    const other = join(folder, 'other');
    mkdirSync(join(other, 'pg'), { recursive: true });
    await using second = await startSupervisor({
      plan: PLAN,
      folder,
      command: [
        ...['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c'],
        'mount --bind "$0" "$1" && shift && exec "$@"',
        ...[join(first.dataDir, 'pg'), join(other, 'pg'), ...UP],
      ],
      env: { ...(await databasePort()), BULKHEAD_DATA: other },
    });
    expect((await second.finished).code).toBe(75);
    expect(second.output()).toContain('another supervisor uses it');
    expect(look(first.dataDir)).toEqual(before);
    expect(readdirSync(other).sort()).toEqual(['bulkhead', 'pg']);
    expect((await first.stop()).code).toBe(0);
  });
});
