/** What a person should know though nothing is down. */
import { isMount } from '../system/mounts.ts';

/** Where the image keeps its data. */
const IMAGE_DATA = '/data';

/** @param isolated whether each service can have its own user */
export function listNotes(dataDir: string, isolated: boolean): string[] {
  const notes: string[] = [];
  // Outside a container a folder of the disk is what people mean.
  if ((process.pid === 1 || dataDir === IMAGE_DATA) && !isMount(dataDir)) {
    notes.push(
      `${dataDir} is not a volume: everything in it is lost with the container; run with -v data:${dataDir}`,
    );
  }
  if (!isolated) notes.push('services are not isolated from one another: all run as the one user we are');
  return notes;
}
