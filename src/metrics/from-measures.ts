/** What the program `measure` found, as metrics. Pure. */
import type { BackupFigures, DatabaseFigures, Measures } from '../protocol/metrics.ts';
import type { Samples } from './samples.ts';

export function addMeasures(to: Samples, { database, backups }: Measures): void {
  to.add('bulkhead_database_up', database !== undefined);
  if (database) addDatabase(to, database);
  for (const each of backups ?? []) addBackups(to, each);
}

function addDatabase(to: Samples, figures: DatabaseFigures): void {
  to.add('bulkhead_database_size_bytes', figures.size);
  for (const [state, count] of Object.entries(figures.sessions)) {
    to.add('bulkhead_database_connections', count, { state });
  }
  to.add('bulkhead_database_connections_max', figures.mostSessions);
  to.add('bulkhead_database_locks_waiting', figures.waitingForLocks);
  to.add('bulkhead_database_longest_transaction_seconds', figures.longestTransaction);
  to.add('bulkhead_database_blocks_total', figures.blocksHit, { from: 'cache' });
  to.add('bulkhead_database_blocks_total', figures.blocksRead, { from: 'disk' });
  to.add('bulkhead_database_transactions_total', figures.commits, { end: 'commit' });
  to.add('bulkhead_database_transactions_total', figures.rollbacks, { end: 'rollback' });
  to.add('bulkhead_database_deadlocks_total', figures.deadlocks);
  to.add('bulkhead_database_temporary_bytes_total', figures.temporaryBytes);
  const { archive } = figures;
  if (!archive) return;
  to.add('bulkhead_wal_archived_total', archive.archived);
  to.add('bulkhead_wal_archive_failed_total', archive.failed);
  to.add('bulkhead_wal_archive_last_success_timestamp_seconds', archive.lastAt);
}

function addBackups(to: Samples, { kind, verified, unverified, newest }: BackupFigures): void {
  to.add('bulkhead_backups', verified, { kind, verified: 'yes' });
  to.add('bulkhead_backups', unverified, { kind, verified: 'no' });
  to.add('bulkhead_backup_last_success_timestamp_seconds', newest?.at, { kind });
  to.add('bulkhead_backup_size_bytes', newest?.size, { kind });
}
