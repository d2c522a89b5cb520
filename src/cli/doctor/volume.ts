import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { formatSize } from '../../base/size.ts';
import type { Finding } from '../../protocol/finding.ts';
import { isOnVolume } from '../../system/mounts.ts';

const MB = 1024 * 1024;
/** Where the image keeps its data. */
const IMAGE_DATA = '/data';

/** Is the volume there, may we write it, does it outlive the container, has it room? */
export function examineVolume(dataDir: string): readonly Finding[] {
  const there = nearestExisting(dataDir);
  return [examineWritable(dataDir, there), ...examineMount(dataDir), examineDisk(there)];
}

function examineWritable(dataDir: string, there: string): Finding {
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    const remedy = `give it to the user Bulkhead runs as: chown ${process.getuid?.() ?? 0} ${there}`;
    return {
      check: 'volume',
      level: 'fail',
      fact: `${there} cannot be written: ${messageOf(error)}`,
      remedy,
    };
  }
  const fact =
    there === dataDir ? `${dataDir} can be written` : `${dataDir} is not there yet and can be made`;
  return { check: 'volume', level: 'ok', fact };
}

/** Only the image's own folder must be a mount: outside a container a folder of the disk is what people mean. */
function examineMount(dataDir: string): readonly Finding[] {
  if (dataDir !== IMAGE_DATA) return [];
  if (isOnVolume(dataDir)) return [{ check: 'mount', level: 'ok', fact: `${dataDir} is a volume` }];
  const remedy = `mount a volume: docker run -v bulkhead-data:${dataDir}`;
  const fact = `${dataDir} is not a volume: its content goes away with the container`;
  return [{ check: 'mount', level: 'warn', fact, remedy }];
}

function examineDisk(there: string): Finding {
  const { bavail, blocks, bsize } = statfsSync(there);
  const free = bavail * bsize;
  const share = blocks === 0 ? 1 : bavail / blocks;
  const fact = `${formatSize(free)} free (${Math.round(share * 100)} %)`;
  if (free < 256 * MB)
    return {
      check: 'disk',
      level: 'fail',
      fact,
      remedy: 'free at least 256 MB: PostgreSQL stops when its disk is full',
    };
  if (free < 1024 * MB || share < 0.05)
    return { check: 'disk', level: 'warn', fact, remedy: 'free some room before it is full' };
  return { check: 'disk', level: 'ok', fact };
}

function nearestExisting(path: string): string {
  return existsSync(path) || path === '/' ? path : nearestExisting(dirname(path));
}
