/** Which cluster the volume holds, and whether it is whole. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure } from '../base/errors.ts';
import type { Layout } from './layout.ts';
import { readControlFile, wasShutDown } from './pg-control.ts';

/** template1, template0, postgres. */
const OWN_DATABASES = 3;

export interface Cluster {
  readonly major: number;
  readonly folder: string;
}

/** The cluster this volume holds: where `current` points, else the only one there is. */
export function findCluster(layout: Layout): Cluster | undefined {
  const majors = listMajors(layout);
  const pointed = readPointer(layout.current);
  const major = majors.find((name) => name === pointed) ?? (majors.length === 1 ? majors[0] : undefined);
  if (major === undefined) {
    if (majors.length === 0) return undefined;
    throw new Failure(
      `cannot tell which cluster to start: ${layout.pg} holds PostgreSQL ${majors.join(' and ')}`,
      {
        remedy: `point ${layout.current} to the right one, e.g. ln -sfn ${majors.at(-1)}/main ${layout.current}`,
      },
    );
  }
  const folder = join(layout.pg, major, 'main');
  const lack = findLack(folder);
  if (lack !== undefined) {
    throw new Failure(`cannot start the cluster in ${folder}: ${lack}, so it is not whole`, {
      remedy:
        'restore the folder from a backup, or move it away if it never held data; it is neither used nor deleted',
    });
  }
  const version = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  return { major: Number(version), folder };
}

/** The majors a cluster lies under; whether it is whole is not asked. */
export function listMajors({ pg }: Layout): string[] {
  try {
    return readdirSync(pg).filter((name) => /^\d+$/.test(name) && existsSync(join(pg, name, 'main')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/**
 * What a whole cluster has and this folder has not; one clause. An initdb that was cut short leaves PG_VERSION,
 * pg_control and a third of the files, and such a server even starts: it is known by the databases it made last, or by
 * a control file that no server has ever closed. What a base backup is restored from has neither, and says so.
 */
export function findLack(folder: string): string | undefined {
  const missing = ['PG_VERSION', 'global/pg_control', 'base/1/PG_VERSION'].find(
    (name) => !existsSync(join(folder, name)),
  );
  if (missing !== undefined) return `${missing} is missing`;
  const databases = readdirSync(join(folder, 'base')).filter((name) =>
    existsSync(join(folder, 'base', name, 'PG_VERSION')),
  );
  if (databases.length < OWN_DATABASES) {
    return `it has ${databases.length} of the ${OWN_DATABASES} databases that initdb makes`;
  }
  const isRestored = ['backup_label', 'recovery.signal', 'standby.signal'].some((name) =>
    existsSync(join(folder, name)),
  );
  const hasServed = existsSync(join(folder, 'postmaster.opts'));
  if (!isRestored && !hasServed && !wasShutDown(readControlFile(folder).state)) {
    return 'no server has ever run on it, and yet it was not closed';
  }
  return undefined;
}

function readPointer(current: string): string | undefined {
  try {
    return readlinkSync(current).split('/').at(-2);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'EINVAL' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
