/** What tells the queue of this product in Redis from that of another one of the same name. */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobsPlan } from '../../config/plan-jobs.ts';
import type { Assignment } from '../../protocol/channel.ts';
import { writeFileAtomic } from '../../system/write-file-atomic.ts';
import type { Home } from '../stores/redis-presence.ts';

/** Undefined where sharing is wanted, since somebody wrote a prefix, and where nothing can tell. */
export function queueHome(
  { prefixIsDefault }: Pick<JobsPlan, 'prefixIsDefault'>,
  { database, dataDir }: Pick<Assignment, 'database' | 'dataDir'>,
): Home | undefined {
  if (!prefixIsDefault || database === undefined) return undefined;
  const { external, name } = database;
  if (external) {
    const address = JSON.stringify([external.hosts.map(({ host, port }) => [host, port]), name]);
    return { kind: 'database', id: createHash('sha256').update(address).digest('hex').slice(0, 16) };
  }
  const id = volumeId(join(dataDir, 'bulkhead', 'jobs', 'volume-id'));
  return id === undefined ? undefined : { kind: 'volume', id };
}

/** Made once, of the volume that our own cluster is on. */
function volumeId(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // There is none yet.
  }
  try {
    const id = randomUUID();
    writeFileAtomic(path, `${id}\n`, { mode: 0o600 });
    return id;
  } catch {
    // The journal says what is wrong with the folder.
    return undefined;
  }
}
