/** A volume's database is either in it or elsewhere, and changes from one to the other only when somebody says so. */
import { Failure } from '../base/errors.ts';
import { nameServer } from '../config/external-url.ts';
import type { DatabaseMode, Plan } from '../config/plan.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { readTextIfExists } from '../system/files.ts';

/**
 * Before anything is started or written: a DATABASE_URL that lost its name must not become an empty database of our
 * own, nor one that appeared hide the data of the volume.
 * @throws Failure (exit 13) that names both, and the word that would settle it
 */
export function refuseOtherMode(plan: Plan): void {
  const { database, dataDir } = plan;
  if (!database) return;
  const wanted: DatabaseMode = database.external ? 'external' : 'embedded';
  const kept = readKeptMode(`${dataDir}/bulkhead/identity.json`);
  if (kept === undefined || kept === wanted || database.mode === wanted) return;
  const { why, instead } = database.external
    ? {
        why: `DATABASE_URL points to ${nameServer(database.external)}, but the database of ${dataDir} is in the volume itself`,
        instead: 'unset DATABASE_URL to go on with the data of the volume',
      }
    : {
        why: `DATABASE_URL names no other host, but the database of ${dataDir} is an external one`,
        instead: 'set DATABASE_URL as before, and look whether its name is spelt right',
      };
  throw new Failure(`cannot start: ${why}`, {
    remedy: `${instead}; if the change is meant, say so with BULKHEAD_DATABASE_MODE=${wanted} (data is not carried over)`,
    code: 'database-mode',
    exitCode: UpExit.cannotStart,
  });
}

/** Undefined: there is nothing to lose, or nothing that can be read; then whoever works with the file says so. */
function readKeptMode(path: string): DatabaseMode | undefined {
  let identity: { readonly mode?: unknown; readonly everHadData?: unknown };
  try {
    identity = JSON.parse(readTextIfExists(path) ?? '{}');
  } catch {
    return undefined;
  }
  if (identity.mode === 'external') return 'external';
  // Volumes from before there was a choice do not say it.
  return identity.mode === 'embedded' || identity.everHadData === true ? 'embedded' : undefined;
}
