/** /data/bulkhead/identity.json: what this volume is, so that an emptied one is not taken for a new one. */
import { readFileSync } from 'node:fs';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { DatabaseMode } from '../config/plan.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';
import { readControlFile } from './pg-control.ts';

export interface Identity {
  /** Version of the volume's layout. */
  readonly layout: 1;
  /** Never changes, whatever is upgraded or restored. */
  readonly installId: string;
  /** Where the database is; volumes from before there was a choice do not say it, and hold it themselves. */
  readonly mode?: DatabaseMode;
  /** Of the cluster in this volume, where there has been one. */
  readonly pgMajor?: number;
  /** Unsigned 64 bit, as PostgreSQL prints it. */
  readonly systemIdentifier?: string;
  /** ISO 8601 */
  readonly createdAt: string;
  /** A cluster has been here: `initdb` is not for this volume any more. */
  readonly everHadData: boolean;
}

/** Undefined where there is none. Throws a Failure where it is there but cannot be understood. */
export function readIdentity(path: string): Identity | undefined {
  try {
    const found: Identity = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof found.installId !== 'string' || typeof found.everHadData !== 'boolean') {
      throw new Error('installId or everHadData is missing');
    }
    return found;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw new Failure(`cannot read ${path}: ${messageOf(error)}`, {
      remedy: 'put the file back from a copy of the volume, or remove it if the cluster beside it is whole',
      cause: error,
    });
  }
}

export function writeIdentity(path: string, identity: Identity): void {
  writeFileAtomic(path, `${JSON.stringify(identity, null, 2)}\n`);
}

/** Of the cluster in this folder, as PostgreSQL prints it. */
export function readSystemIdentifier(cluster: string): string {
  return readControlFile(cluster).systemIdentifier;
}
