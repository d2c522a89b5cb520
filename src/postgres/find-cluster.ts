/** Which cluster the volume holds, and whether it is whole. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure } from '../base/errors.ts';
import type { Layout } from './layout.ts';

export interface Cluster {
  readonly major: number;
  readonly folder: string;
}

/** The cluster this volume holds: where `current` points, else the only one there is. */
export function findCluster(layout: Layout): Cluster | undefined {
  const majors = readdirSync(layout.pg).filter(
    (name) => /^\d+$/.test(name) && existsSync(join(layout.pg, name, 'main')),
  );
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
  const missing = ['PG_VERSION', 'global/pg_control', 'base/1'].find(
    (name) => !existsSync(join(folder, name)),
  );
  if (missing !== undefined) {
    throw new Failure(`cannot start the cluster in ${folder}: ${missing} is missing, so it is not whole`, {
      remedy:
        'restore the folder from a backup, or move it away if it never held data; it is neither used nor deleted',
    });
  }
  const version = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim();
  return { major: Number(version), folder };
}

function readPointer(current: string): string | undefined {
  try {
    return readlinkSync(current).split('/').at(-2);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'EINVAL') return undefined;
    throw error;
  }
}
