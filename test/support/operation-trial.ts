/** A restore and an upgrade, to be killed: afterwards a boot serves the old cluster or the new one, whole. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Trial } from './kill-harness.ts';
import { bulkhead, freePorts, runFolders, startSupervisor } from './supervisor.ts';

const PLAN = `version: 1
database: { name: tools, user: tools_user, settings: { fsync: 'off' } }
backups: { point_in_time: true, disk_floor: 1m }
`;
const COUNT = "SELECT count(*) || ' ' || coalesce(sum(hashtextextended(w::text, 0)), 0) FROM words w";

export interface Operations {
  prepare(): Promise<Trial>;
  remove(): void;
}

/** `what`: what is done without a supervisor, on a copy of a volume with `rows` rows that has been served before. */
export type OperationWork = 'restore-base' | 'restore-dump' | 'upgrade' | 'return';

export function makeOperations(what: OperationWork, rows = 60_000): Operations {
  let ground: Promise<Ground> | undefined;
  let folder: string | undefined;
  return {
    prepare: async () => {
      ground ??= makeGround(rows);
      const found = await ground;
      folder = found.folder;
      return prepareOne(what, found);
    },
    remove: () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Ground {
  readonly folder: string;
  /** What the volume serves, and what its backups hold. */
  readonly now: string;
  readonly backedUp: string;
  /** ISO 8601, between the two. */
  readonly moment: string;
}

async function makeGround(rows: number): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-ground-'));
  chmodSync(folder, 0o755);
  const [port] = await freePorts(1);
  const supervisor = await startSupervisor({ plan: PLAN, folder, env: { BULKHEAD_DB_PORT: String(port) } });
  await supervisor.ready();
  const sql = async (text: string): Promise<string> =>
    (await supervisor.run('db', 'psql', '--', '-XAtc', text)).stdout.trim();
  await sql(`CREATE TABLE words (id int PRIMARY KEY, word text);
    INSERT INTO words SELECT i, 'word ' || i FROM generate_series(1, ${rows}) i; CREATE INDEX ON words (word)`);
  for (const kind of ['daily', 'base']) {
    const made = await supervisor.run('backup', 'run', kind, '--level', 'files');
    if (made.code !== 0) throw new Error(made.stderr);
  }
  const backedUp = await sql(COUNT);
  const moment = await sql(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  );
  await sql("DELETE FROM words WHERE id % 3 = 0; INSERT INTO words VALUES (0, 'new')");
  const now = await sql(COUNT);
  await supervisor.stop();
  return { folder, now, backedUp, moment };
}

async function prepareOne(what: OperationWork, ground: Ground): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
  chmodSync(folder, 0o755);
  execFileSync('cp', ['-a', join(ground.folder, 'data'), folder]);
  const dataDir = join(folder, 'data');
  writeFileSync(join(folder, 'plan.yaml'), PLAN);
  const [probes = 0, api, database = 0] = await freePorts(3);
  const env = {
    PATH: process.env.PATH ?? '',
    BULKHEAD_CONFIG: join(folder, 'plan.yaml'),
    BULKHEAD_DATA: dataDir,
    BULKHEAD_PORT: String(probes),
    BULKHEAD_API_PORT: String(api),
    BULKHEAD_DB_PORT: String(database),
  };
  const kind = what === 'restore-dump' ? 'dump' : 'base';
  const id = readdirSync(join(dataDir, 'backups', kind)).find((name) => name.includes(`-${kind}-`)) ?? '';
  const command =
    what === 'upgrade'
      ? 'db upgrade --yes --yes-without-backup'
      : `backup restore ${what === 'return' ? `--to-time ${ground.moment}` : `${id} --replace`} --yes`;
  const node = `${process.execPath} --disable-sigusr1 ${bulkhead}`;
  return {
    // Killed after all was done but before it could say so, the next try is refused (5): that is done, too.
    work: { command: ['sh', '-c', `${node} ${command}; code=$?; [ $code != 5 ] || exit 0; exit $code`], env },
    recovery: {
      command: [process.execPath, '--disable-sigusr1', bulkhead, 'up'],
      env,
      done: (_run, gone) => untilReady(probes, gone),
    },
    violations: async () => {
      const found = await askApp(database, dataDir);
      const left = readdirSync(join(dataDir, 'pg')).filter((name) => /^\.stage-|^op\.json/.test(name));
      const isNew =
        existsSync(join(dataDir, 'pg', 'trash')) && readdirSync(join(dataDir, 'pg', 'trash')).length > 0;
      const wanted = isNew && what !== 'upgrade' ? ground.backedUp : ground.now;
      return [
        ...(found === wanted ? [] : [`words are ${found} and not ${wanted}`]),
        ...(left.length === 0 ? [] : [`left behind: ${left.join(', ')}`]),
      ];
    },
    remove: () => {
      for (const path of [folder, ...runFolders(dataDir)]) rmSync(path, { recursive: true, force: true });
    },
  };
}

/** As the application asks, which needs no program of the major that runs now. */
async function askApp(port: number, dataDir: string): Promise<string> {
  const password = readFileSync(join(dataDir, 'secrets', 'app_password'), 'utf8').trim();
  const session = new pg.Client({ host: '127.0.0.1', port, user: 'tools_user', password, database: 'tools' });
  await session.connect();
  try {
    const { rows } = await session.query<{ found: string }>(COUNT.replace(' FROM', ' AS found FROM'));
    return rows[0]?.found ?? '';
  } finally {
    await session.end();
  }
}

async function untilReady(port: number, gone: AbortSignal): Promise<void> {
  while (!gone.aborted) {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`, {
        headers: { connection: 'close' },
        signal: gone,
      });
      if (answer.status === 200) return;
    } catch {
      // Nobody listens there yet.
    }
    await sleep(20);
  }
  throw new Error('it ended before it was ready');
}
