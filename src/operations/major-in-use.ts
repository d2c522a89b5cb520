import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listMajors } from '../postgres/find-cluster.ts';
import type { Layout } from '../postgres/layout.ts';
import { readLink } from '../system/files.ts';

/** The major `current` points to, else the only one there is, whole or not; undefined where there is no cluster. */
export function majorInUse(layout: Layout): number | undefined {
  const pointed = readLink(layout.current)?.split('/').at(-2);
  if (pointed !== undefined && existsSync(join(layout.pg, pointed, 'main'))) return Number(pointed);
  const majors = listMajors(layout);
  return majors.length === 1 ? Number(majors[0]) : undefined;
}
