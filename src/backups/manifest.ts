/** Reads a manifest as what it is: text from a disk, or from a store that others can write to. */
import { type BackupManifest, MANIFEST } from '../protocol/backups.ts';
import { parseBackupId } from './backup-id.ts';

/** Throws an Error that says what is wrong with it. `id`: the name of the folder it lies in. */
export function parseManifest(text: string, id: string): BackupManifest {
  const found: unknown = parseJson(text);
  if (!isObject(found)) throw new Error(`${MANIFEST} is no object`);
  if (found.schema !== 1 && found.schema !== 2) {
    throw new Error(`${MANIFEST} is of version ${String(found.schema)}, and this Bulkhead reads 1 and 2`);
  }
  const kind = parseBackupId(id)?.kind;
  if (found.id !== id || found.kind !== kind) throw new Error(`${MANIFEST} is that of ${String(found.id)}`);
  for (const word of ['startedAt', 'endedAt'] as const) {
    if (typeof found[word] !== 'string' || Number.isNaN(Date.parse(found[word]))) {
      throw new Error(`${MANIFEST} has no ${word}`);
    }
  }
  if (found.number !== undefined && !Number.isSafeInteger(found.number)) {
    throw new Error(`${MANIFEST} has a number that is none`);
  }
  const { files } = found;
  if (!Array.isArray(files) || files.length === 0) throw new Error(`${MANIFEST} lists no files`);
  for (const file of files) requireFile(file);
  if (
    found.databases !== undefined &&
    !(Array.isArray(found.databases) && found.databases.every(isDatabase))
  ) {
    throw new Error(`${MANIFEST} lists its databases in a form that cannot be read`);
  }
  // Everything that is relied on was looked at above.
  return found as unknown as BackupManifest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${MANIFEST} is no JSON`);
  }
}

/** A path that leaves the folder would let a manifest name any file of the machine. */
function requireFile(file: unknown): void {
  const isFile =
    isObject(file) &&
    typeof file.path === 'string' &&
    Number.isSafeInteger(file.size) &&
    /^[0-9a-f]{64}$/.test(String(file.sha256));
  if (!isFile) throw new Error(`${MANIFEST} lists a file in a form that cannot be read`);
  const parts = String(file.path).split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new Error(`${MANIFEST} lists a file outside of its folder`);
  }
}

function isDatabase(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value.name === 'string' &&
    typeof value.owner === 'string' &&
    Array.isArray(value.extensions) &&
    Array.isArray(value.tables) &&
    value.tables.every(
      (table) => isObject(table) && typeof table.table === 'string' && typeof table.rows === 'number',
    )
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
