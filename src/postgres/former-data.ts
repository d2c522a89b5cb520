/** Whatever says that a volume has, or had, a database: the veto against making a new one on it. */
import { type Dirent, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { mountPoints } from '../system/mounts.ts';
import { readIdentity } from './identity.ts';
import type { Layout } from './layout.ts';

export interface FormerData {
  readonly kind: 'identity' | 'pointer' | 'cluster' | 'backup';
  /** What was found, to be read after "there is"; one clause. */
  readonly fact: string;
  /** What a person does about it. */
  readonly remedy: string;
}

/** Folders of ours in which no cluster is ever looked for, however many files they hold. */
const NOT_CLUSTERS: ReadonlySet<string> = new Set([
  'assets',
  'backups',
  'bulkhead',
  'config',
  'import',
  'logs',
  'secrets',
  'wal',
]);
/** Kinds of backups that hold a database. */
const DATABASE_BACKUPS = ['dump', 'base'] as const;
/** `/data/postgresql/17/main` is three below. */
const DEPTH = 3;
/** Where the images of Debian and of Docker keep theirs. */
const SYSTEM_DATA = '/var/lib/postgresql';

/**
 * Asked only where `findCluster` finds none. Nothing is changed. Half-made stages do not count: nothing under such a
 * name was ever in use. Throws a Failure where identity.json cannot be understood.
 */
export function findFormerData(layout: Layout): FormerData[] {
  // What has a way back comes first: its remedy is the one that people are told.
  return [
    ...findBackups(layout),
    ...findIdentity(layout),
    ...findPointer(layout),
    ...findClusters(layout),
    ...findMounted(),
  ];
}

function findIdentity(layout: Layout): FormerData[] {
  const identity = readIdentity(layout.identity);
  if (!identity?.everHadData) return [];
  return [
    {
      kind: 'identity',
      fact: `this volume has had one since ${identity.createdAt} (PostgreSQL ${identity.pgMajor}), and ${layout.pg} does not hold it`,
      remedy: `check what is mounted at ${layout.pg}; if the data is really to be given up, remove ${layout.identity} and start again`,
    },
  ];
}

function findPointer({ current, pg }: Layout): FormerData[] {
  let target: string;
  try {
    target = readlinkSync(current);
  } catch {
    return [];
  }
  return [
    {
      kind: 'pointer',
      fact: `${current} points to ${target}, which is not there`,
      remedy: `put the folder back to ${join(pg, target)}, or restore a backup; if the data is really to be given up, remove ${current}`,
    },
  ];
}

/** Any folder with a PG_VERSION, wherever an older image, or a person, has put it. */
function findClusters({ dataDir, pg, trash }: Layout): FormerData[] {
  return findVersionFiles(
    dataDir,
    DEPTH,
    (path) => path !== pg && NOT_CLUSTERS.has(path.slice(dataDir.length + 1)),
  )
    .concat(findVersionFiles(trash, 2))
    .filter((folder, index, all) => all.indexOf(folder) === index)
    .map((folder) => describeCluster(folder, readMajor(folder)));
}

function describeCluster(folder: string, major: string): FormerData {
  return {
    kind: 'cluster',
    fact: `${folder} holds a cluster of PostgreSQL ${major}`,
    remedy: `dump it with the image it belongs to (pg_dumpall) and put the dump into /data/import, or, if it is not to be used any more, move it off the volume`,
  };
}

/** A mount at, or below, the place of other images, brought along as it was. Debian's own empty one is no mount. */
function findMounted(): FormerData[] {
  return mountPoints()
    .filter((point) => point === SYSTEM_DATA || point.startsWith(`${SYSTEM_DATA}/`))
    .flatMap((point): FormerData[] => {
      const found = findVersionFiles(point, 2);
      if (found.length > 0) return found.map((folder) => describeCluster(folder, readMajor(folder)));
      if (canList(point)) return [];
      const fact = `${point} is mounted, and we may not look into it`;
      return [{ kind: 'cluster', fact, remedy: 'mount the volume at /data, or start as root once' }];
    });
}

function findBackups({ dataDir }: Layout): FormerData[] {
  const backups = join(dataDir, 'backups');
  const ids = DATABASE_BACKUPS.flatMap((kind) =>
    foldersIn(join(backups, kind)).filter((id) => existsSync(join(backups, kind, id, 'manifest.json'))),
  );
  // Names begin with the time.
  const newest = ids.sort().at(-1);
  if (newest === undefined) return [];
  const many = ids.length === 1 ? 'a backup of a database lies' : `${ids.length} backups of a database lie`;
  return [
    {
      kind: 'backup',
      fact: `${many} in ${backups}, the newest ${newest}, and ${join(dataDir, 'pg')} holds no database`,
      remedy: `bring it back: ${existsSync(join(dataDir, 'wal')) ? 'bulkhead backup restore --to-latest, to the end of the archived log, or ' : ''}bulkhead backup restore ${newest}, or see which there are: bulkhead backup list; for a new database move ${backups} away`,
    },
  ];
}

/** Folders with a PG_VERSION, at most `depth` below; links are not followed. */
function findVersionFiles(
  folder: string,
  depth: number,
  passOver: (path: string) => boolean = () => false,
): string[] {
  if (existsSync(join(folder, 'PG_VERSION'))) return [folder];
  if (depth === 0) return [];
  return foldersIn(folder)
    .filter((name) => !name.startsWith('.stage-'))
    .map((name) => join(folder, name))
    .filter((path) => !passOver(path))
    .flatMap((path) => findVersionFiles(path, depth - 1, passOver));
}

function foldersIn(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function canList(folder: string): boolean {
  try {
    readdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function readMajor(folder: string): string {
  try {
    return readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  } catch {
    return 'of an unknown version';
  }
}
