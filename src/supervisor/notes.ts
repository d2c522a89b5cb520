/** What a person should know though nothing is down. */
import { isMount } from '../system/mounts.ts';
import { exists } from '../system/files.ts';

/** @param isolated whether each service can have its own user */
export function listNotes(dataDir: string, isolated: boolean): string[] {
  const notes: string[] = [];
  // Outside a container a folder of the disk is what people mean.
  if (isInContainer() && !isMount(dataDir)) {
    notes.push(`${dataDir} is not a volume: everything in it is lost with the container; run with -v data:${dataDir}`);
  }
  if (!isolated) notes.push('services are not isolated from one another: all run as the one user we are');
  return notes;
}

function isInContainer(): boolean {
  return process.pid === 1 || exists('/.dockerenv') || exists('/run/.containerenv');
}
