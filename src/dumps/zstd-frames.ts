/**
 * Where the frames of a zstd file end, without decompressing it. A file may have many (`pzstd`, `cat a.zst b.zst`), and
 * Node's decoder drops what follows the end of one within a chunk; it takes a chunk that begins with a frame.
 * RFC 8878, section 3.1.
 */
const MAGIC = 0xfd2fb528;
/** The last four bits are free. */
const SKIPPABLE = 0x184d2a50;
const DICTIONARY = [0, 1, 2, 4];
const CONTENT_SIZE = [0, 2, 4, 8];
const RLE = 1;

type Step = 'magic' | 'skippable' | 'descriptor' | 'block' | 'lost';

export class ZstdFrames {
  private step: Step = 'magic';
  /** Bytes of the field that `step` names, as far as they are here. */
  private field: number[] = [];
  /** Bytes that say nothing about where the frame ends. */
  private skip = 0;
  private isLast = false;
  private hasChecksum = false;

  /** The chunk in pieces, none of which goes on after the end of a frame. */
  split(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length && this.step !== 'lost'; ) {
      if (this.skip > 0) {
        const passed = Math.min(this.skip, chunk.length - at);
        this.skip -= passed;
        at += passed;
      } else {
        this.field.push(chunk[at] ?? 0);
        at += 1;
        if (this.field.length === SIZES[this.step]) this.read(this.field.splice(0));
      }
      if (this.skip > 0 || !this.isLast) continue;
      pieces.push(chunk.subarray(from, at));
      from = at;
      this.isLast = false;
      this.step = 'magic';
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
    return pieces;
  }

  private read(bytes: readonly number[]): void {
    const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
    switch (this.step) {
      case 'magic':
        // What is no frame is the decoder's to refuse.
        this.step = value === MAGIC ? 'descriptor' : (value & ~15) === SKIPPABLE ? 'skippable' : 'lost';
        return;
      case 'skippable':
        this.skip = value;
        this.isLast = true;
        return;
      case 'descriptor': {
        const isSingle = (value & 32) !== 0;
        const size = CONTENT_SIZE[value >> 6] || (isSingle ? 1 : 0);
        this.skip = (isSingle ? 0 : 1) + (DICTIONARY[value & 3] ?? 0) + size;
        this.hasChecksum = (value & 4) !== 0;
        this.step = 'block';
        return;
      }
      default: {
        this.isLast = (value & 1) !== 0;
        this.skip = ((value >> 1) & 3) === RLE ? 1 : value >> 3;
        if (this.isLast && this.hasChecksum) this.skip += 4;
      }
    }
  }
}

const SIZES: Readonly<Record<Step, number>> = { magic: 4, skippable: 4, descriptor: 1, block: 3, lost: 0 };
