/** What a person should know though nothing is down. */
import { isOnVolume } from '../system/mounts.ts';

/** Where the image keeps its data. */
const IMAGE_DATA = '/data';

/** @param isolated whether each service can have its own user */
export function listNotes(dataDir: string, isolated: boolean): string[] {
  const notes: string[] = [];
  // Outside a container a folder of the disk is what people mean.
  if ((process.pid === 1 || dataDir === IMAGE_DATA) && !isOnVolume(dataDir)) {
    notes.push(
      `${dataDir} is not a volume: everything in it is lost with the container; run with -v data:${dataDir}`,
    );
  }
  if (!isolated) notes.push('services are not isolated from one another: all run as the one user we are');
  return notes;
}

/** The notes in force: those of the boot, and what each service said since its last start. */
export class NoteBoard {
  readonly #ofBoot: readonly string[];
  readonly #said = new Map<string, Set<string>>();

  constructor(ofBoot: readonly string[]) {
    this.#ofBoot = ofBoot;
  }

  list(): readonly string[] {
    return [...new Set([...this.#ofBoot, ...[...this.#said.values()].flatMap((texts) => [...texts])])];
  }

  add(service: string, text: string): void {
    const texts = this.#said.get(service) ?? new Set();
    this.#said.set(service, texts.add(text));
  }

  /** It starts anew, and says again what still holds. */
  forget(service: string): void {
    this.#said.delete(service);
  }
}
