/** `global/pg_control`: what the server last said of itself; pg_controldata is not there in every installation. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

export interface ControlFile {
  /** Unsigned 64 bit, as PostgreSQL prints it. */
  readonly systemIdentifier: string;
  /** In the words of pg_controldata. */
  readonly state: ClusterState;
  /** Milliseconds since the epoch at which it was written, to the second. */
  readonly writtenAt: number;
  /** Where the last checkpoint lies in the WAL; with `writtenAt` it tells one write of the file from another. */
  readonly checkpoint: string;
  /** Where a recovery would begin to replay the WAL. */
  readonly redo: bigint;
  /** On which the last checkpoint was made. */
  readonly timeline: number;
}

/** DBState of catalog/pg_control.h, in its order; the same in all majors we meet. */
const STATES = [
  'starting up',
  'shut down',
  'shut down in recovery',
  'shutting down',
  'in crash recovery',
  'in archive recovery',
  'in production',
] as const;
export type ClusterState = (typeof STATES)[number] | 'unknown';

/** Throws where the file cannot be read. */
export function readControlFile(cluster: string): ControlFile {
  const fd = openSync(join(cluster, 'global', 'pg_control'), 'r');
  try {
    const bytes = Buffer.alloc(52);
    if (readSync(fd, bytes, 0, bytes.length, 0) < bytes.length) throw new Error('pg_control is cut short');
    return {
      systemIdentifier: bytes.readBigUInt64LE().toString(),
      state: STATES[bytes.readInt32LE(16)] ?? 'unknown',
      writtenAt: Number(bytes.readBigInt64LE(24)) * 1000,
      checkpoint: bytes.readBigUInt64LE(32).toString(16),
      // The copy of the checkpoint: where it begins, and its timeline.
      redo: bytes.readBigUInt64LE(40),
      timeline: bytes.readUInt32LE(48),
    };
  } finally {
    closeSync(fd);
  }
}

/** Whether nothing has to be recovered at the next start. */
export function wasShutDown(state: ClusterState): boolean {
  return state === 'shut down' || state === 'shut down in recovery';
}
