/** Clusters that were in use before: moved to `<pg>/trash`, never deleted at once. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import type { Layout } from './layout.ts';

export interface KeptCluster {
  /** Of its folder in the trash: `20261121T071500Z-upgrade`. */
  readonly name: string;
  readonly major: number;
  /** When it went out of use, ISO 8601. */
  readonly since: string;
  readonly why: string;
  readonly folder: string;
}

const FORM = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\w+)$/;
const KEPT_FOR_MS = 7 * 86_400_000;

/** Newest first. */
export function listKeptClusters({ trash }: Pick<Layout, 'trash'>): KeptCluster[] {
  return namesIn(trash)
    .sort()
    .reverse()
    .flatMap((name) => {
      const parts = FORM.exec(name);
      if (!parts) return [];
      const [, year, month, day, hour, minute, second, why = ''] = parts;
      const since = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
      return namesIn(join(trash, name))
        .filter((major) => /^\d+$/.test(major) && isFolder(join(trash, name, major, 'main')))
        .map((major) => ({
          name,
          major: Number(major),
          since,
          why,
          folder: join(trash, name, major, 'main'),
        }));
    });
}

/**
 * Deletes those that were kept for seven days; only to be called where another cluster is whole and in use. Nothing
 * goes by a clock that runs behind. Returns their names.
 */
export function sweepKeptClusters(layout: Pick<Layout, 'trash'>, now: number): string[] {
  const old = listKeptClusters(layout).filter(({ since }) => now - Date.parse(since) > KEPT_FOR_MS);
  for (const { name } of old) rmSync(join(layout.trash, name), { recursive: true, force: true });
  return old.map(({ name }) => name);
}

export function keptUntil({ since }: KeptCluster): string {
  return new Date(Date.parse(since) + KEPT_FOR_MS).toISOString();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'EACCES') return [];
    throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
