/**
 * How often the server was not stopped cleanly: killed with its container, or by a machine that lost its power. Counted
 * by the service itself, before each of its starts, in a file beside the clusters: that folder is the server's own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import type { Layout } from '../postgres/layout.ts';
import { type ClusterState, readControlFile, wasShutDown } from '../postgres/pg-control.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';

export interface UncleanStops {
  readonly count: number;
  /** ISO 8601, when the start after it was. */
  readonly lastAt: string | undefined;
}

const FILE = 'unclean-stops.json';

/**
 * Counts one where the cluster was not shut down. Returns the state it was left in and the new count; undefined where
 * nothing has to be recovered, or the recovery is that of a restore.
 */
export function countUncleanStop(
  layout: Layout,
  cluster: string,
): { readonly state: ClusterState; readonly count: number } | undefined {
  const { state } = readControlFile(cluster);
  const isRestored = ['backup_label', 'recovery.signal'].some((name) => existsSync(join(cluster, name)));
  if (wasShutDown(state) || isRestored) return undefined;
  const count = readUncleanStops(layout).count + 1;
  const stops: UncleanStops = { count, lastAt: new Date().toISOString() };
  writeFileAtomic(join(layout.pg, FILE), `${JSON.stringify(stops)}\n`);
  return { state, count };
}

/** A count that cannot be read is none: it is worth no failed start. */
export function readUncleanStops({ pg }: Layout): UncleanStops {
  try {
    const { count, lastAt } = JSON.parse(readFileSync(join(pg, FILE), 'utf8')) as UncleanStops;
    return { count: Number.isSafeInteger(count) ? count : 0, lastAt };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return { count: 0, lastAt: undefined };
    throw error;
  }
}
