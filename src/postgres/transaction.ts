import type { Session } from './connect.ts';

/** Everything that `work` does, or nothing of it. */
export async function inTransaction(session: Session, work: () => Promise<void>): Promise<void> {
  await session.query('BEGIN');
  try {
    await work();
    await session.query('COMMIT');
  } catch (error) {
    // Where the connection is gone there is nothing to take back, and the cause is the error that counts.
    await session.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
