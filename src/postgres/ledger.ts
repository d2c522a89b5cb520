/** What has happened to this cluster's databases, written in the same transaction as the thing itself. */
import type { LedgerKind } from '../protocol/database-status.ts';
import type { Session } from './connect.ts';
import { readTextOrder, type TextOrder } from './text-order.ts';

export interface LedgerEntry {
  readonly kind: LedgerKind;
  readonly sha256: string | undefined;
  readonly detail: LedgerDetail;
}

export interface LedgerDetail {
  readonly database: string;
  readonly user: string;
  /** Of an import: where the dump was, and what it looked like. */
  readonly file?: string;
  readonly size?: number;
  readonly mtimeMs?: number;
  readonly format?: string;
  readonly rows?: number;
  readonly tables?: number;
  readonly durationMs?: number;
  /** Of a new database: the SQL files that were run. */
  readonly init?: readonly string[];
  /** Of an upgrade: the majors. */
  readonly from?: number;
  readonly to?: number;
  /** Of a restore: the backup, and when its state was fixed. */
  readonly backup?: string;
  readonly backupAt?: string;
  /** Of a restore that brought every database of the cluster back. */
  readonly whole?: true;
  /** Of a restore or an adoption: the dumps that lay there to be imported, and were not meant. */
  readonly passed?: readonly { readonly file: string; readonly size: number; readonly sha256: string }[];
  /** Of an imported cluster: all of its databases that are here now. */
  readonly databases?: readonly string[];
  /** The database that was there before, under its new name. */
  readonly replaced?: string;
  /** How text was sorted when the row was written; every row tells it. */
  readonly order?: TextOrder;
  /** How many indexes of which database were built anew. */
  readonly rebuilt?: Readonly<Record<string, number>>;
}

export interface LedgerRow extends LedgerEntry {
  readonly id: string;
  readonly tool: string;
  readonly at: Date;
}

const TOOL = 'bulkhead';

export async function ensureLedger(session: Session): Promise<void> {
  if (await hasLedger(session)) return;
  // Several statements in one message are one transaction, or a part of the one that is open.
  await session.query(`
    CREATE SCHEMA IF NOT EXISTS bulkhead;
    CREATE TABLE bulkhead.ledger (
      id text PRIMARY KEY,
      kind text NOT NULL,
      sha256 text,
      tool text NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      detail jsonb NOT NULL
    );
    REVOKE ALL ON SCHEMA bulkhead FROM PUBLIC;`);
}

/** Whether there is one in the database of this session. */
export async function hasLedger(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ there: boolean }>(
    `SELECT pg_catalog.to_regclass('bulkhead.ledger') IS NOT NULL AS there`,
  );
  return rows[0]?.there === true;
}

/** Oldest first. */
export async function readLedger(session: Session): Promise<LedgerRow[]> {
  const { rows } = await session.query<LedgerRow>(
    'SELECT id, kind, sha256, tool, at, detail FROM bulkhead.ledger ORDER BY at, id',
  );
  return rows;
}

/** To be called inside the transaction that makes it true. */
export async function writeLedger(session: Session, entry: LedgerEntry): Promise<void> {
  const subject = entry.sha256 ?? entry.detail.database;
  const detail: LedgerDetail = { ...entry.detail, order: await readTextOrder(session) };
  await session.query(
    `INSERT INTO bulkhead.ledger (id, kind, sha256, tool, detail)
     SELECT $1 || CASE WHEN EXISTS (SELECT FROM bulkhead.ledger WHERE id = $1) THEN '@' || clock_timestamp() ELSE '' END,
            $2, $3, $4, $5`,
    [`${entry.kind}:${subject}`, entry.kind, entry.sha256 ?? null, TOOL, detail],
  );
}
