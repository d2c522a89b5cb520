/** What a migration would do, as far as files show it: two that look alike need one safety dump. */
import { createHash, type Hash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { VERSION } from '../base/version.ts';
import type { DatabasePlan } from '../config/plan.ts';

type Migration = NonNullable<DatabasePlan['migration']>;

/** Of the application: what it is, and which build of it. */
const FILES = ['package.json', '.next/BUILD_ID'];
/** Where the usual tools keep their steps (node-pg-migrate, Prisma, Drizzle, Supabase, dbmate …). */
const FOLDERS = [
  'migrations',
  'db/migrations',
  'database/migrations',
  'src/migrations',
  'prisma/migrations',
  'drizzle',
  'supabase/migrations',
];
const DEEPEST = 3;
const MOST_ENTRIES = 5000;
/** More is known by name and size alone: a boot waits for this. */
const MOST_BYTES = 16 * 1024 ** 2;

/** SHA-256, hexadecimal. What is missing or closed to us counts as that. */
export function fingerprintMigration({ argv, workingDir }: Migration, version = VERSION): string {
  const hash = createHash('sha256');
  // Values that are known later stand as their names here, so no secret is in it.
  hash.update(JSON.stringify([version, argv]));
  const budget = { bytes: MOST_BYTES, entries: MOST_ENTRIES };
  const base = workingDir ?? '/';
  const named = argv.flatMap((word) => (typeof word === 'string' ? [resolve(base, word)] : []));
  for (const path of named) addFile(hash, path, budget);
  if (workingDir === undefined) return hash.digest('hex');
  for (const name of FILES) addFile(hash, join(workingDir, name), budget);
  for (const name of FOLDERS) addFolder(hash, join(workingDir, name), budget, DEEPEST);
  return hash.digest('hex');
}

interface Budget {
  bytes: number;
  entries: number;
}

function addFile(hash: Hash, path: string, budget: Budget): void {
  try {
    const found = statSync(path);
    if (!found.isFile()) return;
    hash.update(JSON.stringify([path, found.size]));
    if (found.size > budget.bytes) return;
    budget.bytes -= found.size;
    hash.update(readFileSync(path));
  } catch {
    // Not there, or closed to us: so it is at every start.
  }
}

function addFolder(hash: Hash, folder: string, budget: Budget, depth: number): void {
  const entries = (() => {
    try {
      return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch {
      return [];
    }
  })();
  for (const entry of entries) {
    if (budget.entries <= 0) return;
    budget.entries -= 1;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (depth > 1) addFolder(hash, path, budget, depth - 1);
    } else addFile(hash, path, budget);
  }
}
