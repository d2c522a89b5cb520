/** Which dump a new volume is filled from. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { DatabasePlan } from '../config/plan.ts';
import { isChecksumFile } from '../dumps/checksum-file.ts';
import { detectFormat, isBundle } from '../dumps/dump-format.ts';
import type { Layout } from '../postgres/layout.ts';
import type { LedgerRow } from '../postgres/ledger.ts';

/**
 * The one dump there is: in /data/import, /data/current-db-backup.sql, or where the plan points; the sample of the
 * shipped app only where there is none. Throws a Failure that names them where there are several.
 */
export function findDump(
  layout: Layout,
  plan: DatabasePlan,
  note: (text: string) => void,
): string | undefined {
  if (plan.importFrom !== undefined && !existsSync(plan.importFrom)) {
    throw new Failure(`cannot import ${plan.importFrom}: there is no such file`, {
      remedy: 'put the dump there, or take `import` out of the plan',
    });
  }
  const candidates = listCandidates(layout, plan, note);
  if (candidates.length > 1) throw cannotChoose(candidates, 'dumps');
  if (candidates[0] !== undefined) return candidates[0];
  // An image made for another app ships no sample, and that is well.
  return plan.sample !== undefined && existsSync(plan.sample) ? plan.sample : undefined;
}

/**
 * The bundle an empty volume is filled from, known by its content. Throws a Failure that names them where there are
 * several, or a dump beside one: which of them is the newer truth, nobody can tell.
 */
export function findBundle(layout: Layout, plan: DatabasePlan): string | undefined {
  const candidates = listCandidates(layout, plan, () => undefined);
  const bundle = candidates.find((path) => holdsBundle(path));
  if (bundle !== undefined && candidates.length > 1) throw cannotChoose(candidates, 'dumps and bundles');
  return bundle;
}

function cannotChoose(candidates: readonly string[], what: string): Failure {
  return new Failure(`cannot choose between ${candidates.length} ${what}: ${candidates.join(', ')}`, {
    remedy: 'leave the one to be imported and move the others away',
  });
}

function holdsBundle(path: string): boolean {
  try {
    return isBundle(path);
  } catch {
    // Whoever reads it next says why it cannot be read.
    return false;
  }
}

/** What lies there now, by its content: for the ledger, when somebody decides what the database is. */
export async function identifyDumps(
  layout: Layout,
  plan: DatabasePlan,
): Promise<LedgerRow['detail']['passed']> {
  const { hashDump } = await import('../dumps/hash-dump.ts');
  const passed: { file: string; size: number; sha256: string }[] = [];
  for (const file of listCandidates(layout, plan, () => undefined)) {
    try {
      passed.push({ file, size: statSync(file).size, sha256: await hashDump(file) });
    } catch {
      // What we cannot read now nobody can import as it is; its time tells the rest.
    }
  }
  return passed;
}

/**
 * The candidates that are not what the ledger says was imported; empty where all is as it was. `late`: of them, those
 * that may take the place of the database. What lay there when somebody decided what the database is, at the last restore
 * or adoption, or is older than that, would undo it, whatever its time says.
 */
export async function otherDumps(
  layout: Layout,
  plan: DatabasePlan,
  ledger: readonly LedgerRow[],
): Promise<{ readonly others: string[]; readonly late: string[] }> {
  const others: string[] = [];
  const imports = ledger.filter(({ kind }) => kind === 'import');
  const replaces = plan.importMode === 'replace';
  for (const path of listCandidates(layout, plan, () => undefined)) {
    if (!(await isImported(path, imports, replaces))) others.push(path);
  }
  const decided = ledger.findLast(({ kind }) => kind === 'restore' || kind === 'adopt');
  const late: string[] = [];
  for (const path of replaces ? others : []) {
    const isNewer = statSync(path).mtimeMs >= (decided?.at.getTime() ?? 0);
    if (isNewer && !(await isOneOf(path, decided?.detail.passed ?? []))) late.push(path);
  }
  return { others, late };
}

async function isOneOf(path: string, passed: NonNullable<LedgerRow['detail']['passed']>): Promise<boolean> {
  const stat = statSync(path);
  const alike = passed.filter(({ size }) => stat.isDirectory() || size === stat.size);
  if (alike.length === 0) return false;
  const { hashDump } = await import('../dumps/hash-dump.ts');
  const sha256 = await hashDump(path);
  return alike.some((each) => each.sha256 === sha256);
}

/**
 * Size and time tell it without reading the file at every boot; only where the time differs it is read. `exact`: its
 * hash decides whatever that costs, for a wrong answer would replace the database.
 */
async function isImported(path: string, imports: readonly LedgerRow[], exact: boolean): Promise<boolean> {
  const stat = statSync(path);
  const same = imports.some(
    ({ detail }) => detail.file === path && stat.size === detail.size && stat.mtimeMs === detail.mtimeMs,
  );
  if (same) return true;
  if (!exact && (stat.isDirectory() || stat.size > LARGEST_HASHED))
    return imports.some(
      ({ detail }) => detail.file === path && (stat.isDirectory() || stat.size === detail.size),
    );
  if (!exact && !imports.some(({ detail }) => detail.size === stat.size)) return false;
  // Only here: most boots need no hash.
  const { hashDump } = await import('../dumps/hash-dump.ts');
  const sha256 = await hashDump(path);
  return imports.some((row) => row.sha256 === sha256);
}

const LARGEST_HASHED = 64 * 1024 ** 2;

function listCandidates(layout: Layout, plan: DatabasePlan, note: (text: string) => void): string[] {
  const inFolder = namesIn(layout.imports)
    .filter((name) => !name.startsWith('.') && !/^readme/i.test(name) && !isChecksumFile(name))
    .map((name) => join(layout.imports, name));
  const named = [layout.backupFile, ...(plan.importFrom === undefined ? [] : [plan.importFrom])];
  const seen = new Set<string>();
  return [...inFolder.sort(), ...named].filter((path) => {
    if (!existsSync(path)) return false;
    const real = realpathSync(path);
    if (seen.has(real)) return false;
    seen.add(real);
    if (detect(path) !== 'nothing') return true;
    // Docker makes an empty folder where the file to be mounted does not exist.
    note(`${path} holds no dump and is passed over; does the file that is mounted there exist?`);
    return false;
  });
}

function detect(path: string): string {
  try {
    return detectFormat(path).kind;
  } catch {
    // Whoever reads it next says why it cannot be read.
    return 'unknown';
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    // What is no folder is told by whoever lays out the volume.
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return [];
    throw new Failure(`cannot look into ${folder}: ${messageOf(cause)}`, {
      remedy: `make it readable for uid ${process.geteuid?.() ?? 0}, e.g. chmod a+rx`,
      cause,
    });
  }
}
