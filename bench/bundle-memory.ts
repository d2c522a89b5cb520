/**
 * A bundle of about a gigabyte made on an old host and moved in by a first boot: the most memory each of our programs
 * takes, and how long it lasts. Half of it is a database of text, half are files that do not compress.
 *
 *   npm run build && node bench/bundle-memory.ts [MB of files] [millions of rows]      600 and 4: a bundle of about 1 GB
 *
 * Needs a PostgreSQL with its client programs, and 6 GB below TMPDIR.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeOldHost, PASSPHRASE } from '../test/support/bundles.ts';
import { ownMain } from '../test/support/own-main.ts';
import { makeEmptyVolume } from '../test/support/postgres.ts';

const megabytes = Number(process.argv[2] ?? 600);
const millions = Number(process.argv[3] ?? 4);
const PER_FILE = 25;

const host = await makeOldHost();
const volume = await makeEmptyVolume({ plan: { settings: {} } });
try {
  await host.server.admin(
    `SET ROLE app; CREATE TABLE lines AS SELECT i AS id, md5(i::text) || ' of many lines of text ' || md5((-i)::text) AS line
       FROM generate_series(1, ${millions * 1e6}) i; ALTER TABLE lines ADD PRIMARY KEY (id)`,
    'app',
  );
  const uploads = join(host.folder, 'uploads');
  const noise = Buffer.alloc(PER_FILE * 1024 ** 2);
  for (let file = 0; file < megabytes / PER_FILE; file += 1) {
    writeFileSync(join(uploads, `${file}.bin`), randomFillSync(noise));
  }
  const bundle = join(host.folder, 'move.tar');
  const passphrase = join(host.folder, 'passphrase');
  writeFileSync(passphrase, PASSPHRASE, { mode: 0o600 });
  const made = await watch(() =>
    spawn(
      process.execPath,
      [ownMain, 'bundle', 'create', '--output', bundle, '--assets', uploads, '--passphrase-file', passphrase],
      { env: { ...process.env, DATABASE_URL: host.server.url() }, stdio: ['ignore', 'ignore', 'inherit'] },
    ),
  );
  const size = Math.round(statSync(bundle).size / 1024 ** 2);
  mkdirSync(join(volume.dataDir, 'import'));
  chmodSync(bundle, 0o644);
  renameSync(bundle, join(volume.dataDir, 'import', 'move.tar'));
  const moved = await watchProgram();
  await volume.startServer();
  const setup = await volume.run('setup');
  if (setup.code !== 0) throw new Error(setup.stderr);
  const [row] = await volume.query<{ n: number }>('SELECT count(*)::int AS n FROM lines');
  console.log(`a bundle of ${size} MB; ${row?.n.toLocaleString('en-US')} rows came out of it`);
  console.table({ 'bundle create': made, 'first boot, moving in': moved });
} finally {
  await volume.remove();
  await host.remove();
}

interface Measured {
  readonly seconds: number;
  readonly 'peak memory, MB': number;
}

async function watchProgram(): Promise<Measured> {
  const began = performance.now();
  let peak = 0;
  let pid: number | undefined;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakMemory(pid));
  }, 50);
  const cluster = await volume.run('cluster', {
    secrets: { bundlePassphrase: PASSPHRASE },
    onReport: (_, child) => {
      pid = child.pid;
    },
  });
  clearInterval(timer);
  if (cluster.code !== 0) throw new Error(cluster.failure ?? cluster.stderr);
  return measured(began, peak);
}

async function watch(start: () => ChildProcess): Promise<Measured> {
  const began = performance.now();
  const child = start();
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, peakMemory(child.pid));
  }, 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`bundle create ended with ${String(code)}`);
  return measured(began, peak);
}

function measured(began: number, peak: number): Measured {
  return {
    seconds: Math.round((performance.now() - began) / 100) / 10,
    'peak memory, MB': Math.round(peak / 1024),
  };
}

/** kB of VmHWM, the most that was ever resident. */
function peakMemory(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
