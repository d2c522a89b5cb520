/**
 * The most memory our own process takes while a large dump passes through it: pgbench's database as plain SQL, gzip and
 * custom archive, each imported by `setup` on an empty volume.
 *
 *   node bench/import-memory.ts [scale]       scale 70 is a dump of about 700 MB
 *
 * Needs a PostgreSQL with its client programs and pgbench.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../src/postgres/binaries.ts';
import { makeEmptyVolume, type TestVolume } from '../test/support/postgres.ts';

const scale = process.argv[2] ?? '70';
const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'bulkhead-memory-'));
chmodSync(folder, 0o755);
const { bin } = findBinaries({ libraryDir: folder });

try {
  const dumps = await makeDumps();
  const rows = [];
  for (const path of dumps) rows.push(await measure(path));
  console.table(Object.fromEntries(rows));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function makeDumps(): Promise<string[]> {
  const source = await makeEmptyVolume();
  try {
    await source.run('cluster');
    await source.startServer();
    await source.admin('CREATE DATABASE source');
    const to = ['-h', join(source.runDir, 'pg'), '-p', String(source.plan.port), '-U', 'bulkhead'];
    execFileSync(join(bin, 'pgbench'), [...to, '-q', '-i', '-s', scale, 'source'], { stdio: 'ignore' });
    const dump = (name: string, ...flags: string[]): string => {
      execFileSync(join(bin, 'pg_dump'), [...to, '-f', join(folder, name), ...flags, 'source']);
      return join(folder, name);
    };
    const plain = dump('plain.sql');
    execFileSync('sh', ['-c', 'gzip -1 < "$0" > "$1"', plain, join(folder, 'plain.sql.gz')]);
    return [plain, join(folder, 'plain.sql.gz'), dump('custom', '-Fc', '-Z1')];
  } finally {
    await source.remove();
  }
}

async function measure(path: string): Promise<[string, Record<string, number>]> {
  const volume: TestVolume = await makeEmptyVolume();
  try {
    mkdirSync(join(volume.dataDir, 'import'));
    symlinkSync(path, join(volume.dataDir, 'import', 'dump'));
    await volume.run('cluster');
    await volume.startServer();
    let peak = 0;
    const began = performance.now();
    const setup = await volume.run('setup', {
      onReport: (_, child) => {
        peak = Math.max(peak, peakMemory(child.pid ?? 0));
      },
    });
    if (setup.code !== 0) throw new Error(setup.stderr);
    const megabytes = statSync(path).size / 1024 ** 2;
    return [
      path.slice(folder.length + 1),
      {
        'MB on disk': Math.round(megabytes),
        seconds: Math.round((performance.now() - began) / 100) / 10,
        'peak memory, MB': Math.round(peak / 1024),
      },
    ];
  } finally {
    await volume.remove();
  }
}

/** kB of VmHWM, the most that was ever resident. */
function peakMemory(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
