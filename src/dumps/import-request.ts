import type { Server, Session } from '../postgres/connect.ts';
import type { LedgerEntry } from '../postgres/ledger.ts';
import type { Job } from '../program/job.ts';

export interface ImportRequest {
  readonly job: Job;
  readonly server: Server;
  /** Of the superuser, in the maintenance database, holding the lock. */
  readonly session: Session;
  readonly path: string;
  /** Put it in the place of a database that is there; that one is kept under another name. */
  readonly replace: boolean;
  /** Of a cluster's dump: in the place of its other databases, too. As `replace` if undefined. */
  readonly replaceOthers?: boolean;
  /** Of a restore: what the ledger says of it, and a last look at the database before it gets its name. */
  readonly restore?: {
    readonly detail: Pick<LedgerEntry['detail'], 'backup' | 'backupAt'>;
    verify(database: string): Promise<void>;
  };
  /** Of a dump out of a bundle: what the ledger knows it by, and that same last look. */
  readonly bundle?: {
    readonly detail: Required<Pick<LedgerEntry['detail'], 'file' | 'size' | 'mtimeMs'>>;
    readonly sha256: string;
    verify(database: string): Promise<void>;
  };
}
