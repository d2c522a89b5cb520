/** A first boot with a dump to import, to be killed: ours, and the shape most images have. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findBinaries } from '../../src/postgres/binaries.ts';
import { openSession, type Session } from '../../src/postgres/connect.ts';
import {
  compareFingerprints,
  fingerprintTables,
  type TableFingerprint,
} from '../../src/postgres/fingerprint.ts';
import { readIdentity, readSystemIdentifier } from '../../src/postgres/identity.ts';
import type { Trial } from './kill-harness.ts';
import { bulkhead, freePorts, runFolders } from './supervisor.ts';

const PLAN = 'version: 1\ndatabase: { name: tools, user: tools_user }\n';
const naiveScript = join(import.meta.dirname, '..', 'programs', 'naive-first-boot.sh');

export interface FirstBoots {
  /** `bulkhead up` on an empty volume with the dump in its import folder. */
  prepare(): Promise<Trial>;
  /** PG_VERSION as proof of initdb, psql into the live database, a marker file afterwards. */
  prepareNaive(): Promise<Trial>;
  remove(): void;
}

/** What is imported has `rows` rows in its largest table, and no key before its data, as pg_dump writes it. */
export function makeFirstBoots(rows = 60_000): FirstBoots {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-dump-'));
  chmodSync(folder, 0o755);
  const dump = join(folder, 'dump.sql');
  writeFileSync(dump, dumpText(rows));
  const expected: { prints?: readonly TableFingerprint[] } = {};
  /** The first who looks has seen an undisturbed run; that it is what the dump holds is asked by its counts. */
  const compare = (prints: readonly TableFingerprint[]): string[] => {
    expected.prints ??= prints;
    return [...compareCounts(prints, rows), ...compareFingerprints(expected.prints, prints)];
  };
  return {
    prepare: () => prepareFirstBoot(dump, compare),
    prepareNaive: () => prepareNaive(dump, compare),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** `bulkhead up` on an empty volume with this file in its import folder. `look`: more of what contradicts the invariant. */
export async function prepareFirstBoot(
  dump: string,
  compare: Compare,
  look: (dataDir: string) => readonly string[] = () => [],
  more: Readonly<Record<string, string>> = {},
): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-kill-'));
  chmodSync(folder, 0o755);
  const dataDir = join(folder, 'data');
  mkdirSync(join(dataDir, 'import'), { recursive: true });
  writeFileSync(join(dataDir, 'import', 'dump.sql'), readFileSync(dump));
  writeFileSync(join(folder, 'plan.yaml'), PLAN);
  const [probes = 0, api, database = 0] = await freePorts(3);
  return {
    work: {
      command: [process.execPath, '--disable-sigusr1', bulkhead, 'up'],
      env: {
        PATH: process.env.PATH ?? '',
        BULKHEAD_CONFIG: join(folder, 'plan.yaml'),
        BULKHEAD_DATA: dataDir,
        BULKHEAD_PORT: String(probes),
        BULKHEAD_API_PORT: String(api),
        BULKHEAD_DB_PORT: String(database),
        ...more,
      },
      done: (_run, gone) => untilReady(probes, gone),
    },
    violations: async () => [
      ...(await lookInto(socketOf(join(dataDir, 'pg', 'current')), database, 'bulkhead', compare)),
      ...(await countImports(socketOf(join(dataDir, 'pg', 'current')), database)),
      ...findLeftovers(dataDir),
      ...compareIdentity(dataDir),
      ...look(dataDir),
    ],
    remove: () => {
      for (const path of [folder, ...runFolders(dataDir)]) rmSync(path, { recursive: true, force: true });
    },
  };
}

async function prepareNaive(dump: string, compare: Compare): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-naive-'));
  chmodSync(folder, 0o777);
  const [port = 0] = await freePorts(1);
  const { bin } = findBinaries({ libraryDir: folder });
  return {
    work: {
      command: ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', 'bash', naiveScript],
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        PGDATA: join(folder, 'data'),
        PGHOST: folder,
        PGPORT: String(port),
        DUMP: dump,
      },
      done: (run) => run.says('naive: ready'),
    },
    violations: () => lookInto(folder, port, 'postgres', compare),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

type Compare = (prints: readonly TableFingerprint[]) => string[];

/** Of the databases and what they hold. */
async function lookInto(host: string, port: number, user: string, compare: Compare): Promise<string[]> {
  const session = await open(host, port, user, 'postgres');
  const found = await ask(
    session,
    `SELECT datname AS value FROM pg_database WHERE datname !~ '^(template[01]|postgres)$'`,
  );
  const databases = found.join(', ');
  if (databases !== 'tools') return [`the databases are "${databases}" and not tools alone`];
  const app = await open(host, port, user, 'tools');
  try {
    return compare(await fingerprintTables(app));
  } finally {
    await app.end();
  }
}

async function countImports(host: string, port: number): Promise<string[]> {
  const session = await open(host, port, 'bulkhead', 'postgres');
  const kinds = await ask(session, 'SELECT kind AS value FROM bulkhead.ledger');
  return kinds.join() === 'import' ? [] : [`the ledger has "${kinds.join()}" and not one import`];
}

/** The whole column, and the session is ended. */
async function ask(session: Session, sql: string): Promise<string[]> {
  try {
    return (await session.query<{ value: string }>(sql)).rows.map(({ value }) => value);
  } finally {
    await session.end();
  }
}

function open(host: string, port: number, user: string, database: string): Promise<Session> {
  return openSession({ host, port, user, password: undefined, database });
}

function findLeftovers(dataDir: string): string[] {
  const left = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|\/)\.(stage|tmp)-|\.tmp$|^pg\/op\.json/.test(path),
  );
  return left.length === 0 ? [] : [`left behind: ${left.slice(0, 5).join(', ')}`];
}

function compareIdentity(dataDir: string): string[] {
  const known = readIdentity(join(dataDir, 'bulkhead', 'identity.json'))?.systemIdentifier;
  const found = readSystemIdentifier(join(dataDir, 'pg', 'current'));
  return known === found ? [] : [`identity.json knows the cluster ${known}, and this is ${found}`];
}

/** Line 5 of its lock file: the folder of its socket. */
function socketOf(cluster: string): string {
  return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[4] ?? '';
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

function compareCounts(prints: readonly TableFingerprint[], rows: number): string[] {
  const found = prints.map((print) => `${print.table}: ${print.rows}`).join(', ');
  const wanted = `public.places: ${rows / 10}, public.words: ${rows}`;
  return found === wanted ? [] : [`the tables are ${found || 'none'} and not ${wanted}`];
}

function dumpText(rows: number): string {
  const words = Array.from({ length: rows }, (_, id) => `${id}\tword number ${id}\t${(id * 7) % 1000}\n`);
  const places = Array.from({ length: rows / 10 }, (_, id) => `${id}\t${id * 10}\n`);
  return `--
-- PostgreSQL database dump
--
CREATE TABLE public.words (id integer NOT NULL, word text NOT NULL, weight integer);
CREATE TABLE public.places (id integer NOT NULL, word_id integer);
COPY public.words (id, word, weight) FROM stdin;
${words.join('')}\\.
COPY public.places (id, word_id) FROM stdin;
${places.join('')}\\.
ALTER TABLE ONLY public.words ADD CONSTRAINT words_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.places ADD CONSTRAINT places_pkey PRIMARY KEY (id);
CREATE INDEX words_word ON public.words (word);
ALTER TABLE ONLY public.places ADD CONSTRAINT places_word FOREIGN KEY (word_id) REFERENCES public.words (id);
--
-- PostgreSQL database dump complete
--
`;
}
