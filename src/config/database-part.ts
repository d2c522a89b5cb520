/** The database of the plan: whose it is, what it comes to, and what follows where it is off. */
import type { BuildContext, Draft } from './build-run.ts';
import { readDatabaseMode } from './database-mode.ts';
import { buildDatabase, buildDatabaseRuns } from './database-runs.ts';
import { type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import { nameServer } from './external-url.ts';
import type { LoadedFiles } from './load-files.ts';
import type { Plan } from './plan.ts';
import type { PlanStanza } from './plan-words.ts';
import type { Problems } from './problems.ts';
import type { Settings } from './settings.ts';
import { keyPlaceAt, type MapValue } from './tree.ts';
import type { Variables } from './variables.ts';

export type GoodUrl = Exclude<DatabaseUrl, { readonly kind: 'invalid' }>;

/** Decides which late values there are, before any variable is filled in. */
export function readDatabaseUrl(
  files: LoadedFiles,
  variables: Variables,
  problems: Problems,
): GoodUrl | undefined {
  if (variables.value('NEXTAUTH_SECRET') === undefined) variables.makeLate('NEXTAUTH_SECRET');
  const stanza = files.trees.map((tree) => tree.entries.get('database')).find((entry) => entry !== undefined);
  if (!stanza || stanza.value.tag === 'reset') return undefined;
  const given = variables.value('DATABASE_URL');
  const url = given === undefined ? undefined : parseDatabaseUrl(given);
  const at = { outside: 'environment', source: 'DATABASE_URL=…' };
  if (url?.kind === 'invalid') {
    return problems.error(at, 'wrong-value', `DATABASE_URL cannot be read: ${url.why}`);
  }
  if (url?.kind === 'external') return url;
  // An address that leaves something open is completed at start, like one that is not given at all.
  const complete = url?.user && url.password && url.name && url.port;
  if (!complete) variables.makeLate('DATABASE_URL');
  return url;
}

export function buildDatabasePart(
  read: PlanStanza,
  tree: MapValue,
  planName: string,
  url: GoodUrl | undefined,
  settings: Settings,
  runDir: string,
  context: BuildContext,
): { plan: NonNullable<Plan['database']>; drafts: readonly Draft[] } | undefined {
  if (!read.database) return undefined;
  const key = keyPlaceAt(tree, 'database');
  const mode = readDatabaseMode(read.database, url, context);
  const port = url?.kind === 'external' ? (url.server.hosts[0]?.port ?? 0) : settings.ports.database;
  const full = { ...context, planName, port, runDir: runDir, url, mode, key };
  const plan = buildDatabase(read.database, full);
  return { plan, drafts: buildDatabaseRuns(read.database, plan, full) };
}

/** What a database of somebody else makes needless. */
export function absentRuns(
  database: Plan['database'],
  off: ReadonlyMap<string, string>,
): readonly { readonly name: string; readonly why: string }[] {
  if (database?.external === undefined || off.has('database')) return [];
  return [{ name: 'cluster', why: `the database is at ${nameServer(database.external)} (DATABASE_URL)` }];
}

/** A hole for DATABASE_URL that nobody will fill, because the database is switched off. */
export function refuseOrphanedUrl(
  drafts: readonly Draft[],
  off: ReadonlyMap<string, string>,
  problems: Problems,
): void {
  if (!off.has('database')) return;
  for (const { run, at, key } of drafts) {
    if (off.has(run.name) || !JSON.stringify(run).includes('{"late":"DATABASE_URL"}')) continue;
    const place = at.kind === 'map' ? (at.entries.get('environment')?.keyPlace ?? key) : key;
    problems.error(
      place,
      'late-value',
      `${run.name} needs DATABASE_URL, but the database is ${off.get('database')}`,
      {
        suggestion: `switch ${run.name} off as well, or leave the database on`,
      },
    );
  }
}
