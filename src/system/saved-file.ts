/** A small file that is written whole, again and again, without making anybody wait for the disk. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

export class SavedFile {
  readonly #path: string;
  #next: string | undefined;
  #writing: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Resolves when this content, or a newer one, will outlive a crash; rejects where it cannot be written. The path
   * holds the old content or the whole new one at every moment.
   */
  save(content: string): Promise<void> {
    this.#next = content;
    this.#writing = (this.#writing ?? Promise.resolve()).catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  /** Resolves when nothing waits to be written, however that went. */
  async settled(): Promise<void> {
    await this.#writing?.catch(() => undefined);
  }

  async #write(): Promise<void> {
    const content = this.#next;
    // A call before this one has written it already.
    if (content === undefined) return;
    this.#next = undefined;
    const temporary = `${this.#path}.tmp`;
    const file = await open(temporary, 'w', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path);
    const folder = await open(dirname(this.#path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
