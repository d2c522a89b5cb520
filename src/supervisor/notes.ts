/** What a person should know though nothing is down. */
import type { Plan } from '../config/plan.ts';
import { isOnVolume } from '../system/mounts.ts';
import { tellTierChange } from './tier-change.ts';

/** Where the image keeps its data. */
const IMAGE_DATA = '/data';

/** @param isolated whether each service can have its own user */
export function listNotes(plan: Plan, isolated: boolean): string[] {
  const { dataDir } = plan;
  const notes: string[] = [];
  // Outside a container a folder of the disk is what people mean.
  if ((process.pid === 1 || dataDir === IMAGE_DATA) && !isOnVolume(dataDir)) {
    notes.push(
      `${dataDir} is not a volume: everything in it is lost with the container; run with -v data:${dataDir}`,
    );
  }
  if (!isolated) notes.push('services are not isolated from one another: all run as the one user we are');
  const tierChange = tellTierChange(plan);
  if (tierChange !== undefined) notes.push(tierChange);
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
