/**
 * A database of pgbench, or of text, through its backup: dumped, verified by restoring it, restored over the living one; beside
 * pg_dump alone, in turns, with the most memory each of our programs takes. Medians.
 *
 *   npm run build && node bench/backup-speed.ts [scale] [rounds] [pgbench | text]     scale 70 is a database of about 1 GB
 *
 * pgbench's rows are blanks for the most part and pack to a fiftieth, so that packing, which is most of the work of a real
 * dump, costs little; text packs to a quarter. Runs in the image as well, with the repository at /src:
 *
 *   docker run --rm --network host -v "$PWD:/src:ro" --entrypoint node IMAGE /src/bench/backup-speed.ts
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries } from '../src/postgres/binaries.ts';
import type { BackupRunResult, MadeBackup } from '../src/protocol/backups.ts';
import { makeEmptyVolume } from '../test/support/postgres.ts';

const [scale = '70', rounds = '3', data = 'pgbench'] = process.argv.slice(2);
const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'bulkhead-speed-'));
chmodSync(folder, 0o755);
const { bin } = findBinaries({ libraryDir: folder });
const volume = await makeEmptyVolume({ plan: { settings: {} } });
try {
  await volume.boot();
  const place = ['-h', '127.0.0.1', '-p', String(volume.plan.port), '-U', volume.plan.user];
  const env = { ...process.env, PGPASSWORD: volume.password() };
  if (data === 'text') {
    await volume.query(
      `CREATE TABLE lines AS SELECT i AS id, (i % 100)::int AS kind, now() AS at,
              w[1 + i % 10] || ' ' || md5(i::text) || ' ' || w[1 + i / 7 % 10] || ' lorem ipsum dolor sit amet' AS line
         FROM generate_series(1, ${Number(scale) * 80_000}::bigint) i,
              (VALUES (ARRAY['alpha', 'tool', 'image', 'video', 'editor', 'search', 'model', 'data', 'free', 'open'])) v (w)`,
    );
    await volume.query('ALTER TABLE lines ADD PRIMARY KEY (id)');
  } else {
    execFileSync(join(bin, 'pgbench'), [...place, '-q', '-i', '-s', scale, volume.plan.name], {
      env,
      stdio: 'ignore',
    });
  }
  const [size] = await volume.admin<{ mb: number }>(
    `SELECT (pg_database_size('${volume.plan.name}') / 1048576)::int AS mb`,
  );
  const megabytes = size?.mb ?? 0;
  await volume.admin('CHECKPOINT');
  const alone: number[] = [];
  const together: number[] = [];
  let made: MadeBackup | undefined;
  let peak = 0;
  for (let round = 0; round < Number(rounds); round += 1) {
    const began = performance.now();
    execFileSync(join(bin, 'pg_dump'), [...place, '-Fc', '-f', join(folder, `${round}`), volume.plan.name], {
      env,
    });
    alone.push(performance.now() - began);
    const backup = await measured('backup', { what: 'daily', level: 'files' });
    made = (backup.result as BackupRunResult).made[0];
    together.push(made?.durationMs ?? 0);
    peak = Math.max(peak, backup.peak);
  }
  const [toolMs, dumpMs] = [median(alone), median(together)];
  const verify = await measured('verify-backups', { ids: made?.backup.id ?? '', level: 'restored' });
  const restore = await measured('restore', { backup: made?.backup.id ?? '', replace: '1' });
  console.table({
    'pg_dump alone': { seconds: inSeconds(toolMs), 'MB/s': rate(toolMs) },
    'our dump, with fingerprints': {
      seconds: inSeconds(dumpMs),
      'MB/s': rate(dumpMs),
      ratio: Number((dumpMs / toolMs).toFixed(2)),
      'peak memory, MB': peak,
    },
    'verify, restored and compared': {
      seconds: inSeconds(verify.ms),
      'MB/s': rate(verify.ms),
      'peak memory, MB': verify.peak,
    },
    'restore, verified and compared': {
      seconds: inSeconds(restore.ms),
      'MB/s': rate(restore.ms),
      'peak memory, MB': restore.peak,
    },
  });

  function rate(ms: number): number {
    return Math.round(megabytes / (ms / 1000));
  }
} finally {
  await volume.remove();
  rmSync(folder, { recursive: true, force: true });
}

async function measured(program: 'backup' | 'verify-backups' | 'restore', input: Record<string, string>) {
  let peak = 0;
  const began = performance.now();
  const ended = await volume.run(program, {
    input,
    onReport: (_, child) => {
      peak = Math.max(peak, peakMemory(child.pid ?? 0));
    },
  });
  if (ended.code !== 0) throw new Error(ended.failure ?? ended.stderr);
  return { ...ended, ms: performance.now() - began, peak: Math.round(peak / 1024) };
}

/** kB of VmHWM, the most that was ever resident. */
function peakMemory(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

function inSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
