/** Big enough that a busy writer makes few calls, small enough that dropping one loses little. */
const BLOCK_SIZE = 256 * 1024;

/** Whole lines, ready to be written. */
export interface Block {
  bytes: Buffer;
  used: number;
  lines: number;
  /** It begins in the middle of a line whose beginning was written. */
  continues: boolean;
  /** The day its lines were written on, as in base/log-names.ts. */
  day: number;
  /** Those of its lines that are kept when it is dropped. */
  kept?: Uint8Array[];
}

/** Shared by all queues, so that fifty quiet services hold no memory. */
const spare: Buffer[] = [];
const SPARE_LIMIT = 16;
/** So many lines that are to be kept outlive their blocks. */
const KEPT_LIMIT = 200;

/** Bytes on their way out: whole lines, bounded; when it is full the oldest lines go, and are counted. */
export class BlockQueue {
  private readonly blocks: Block[] = [];
  private readonly limit: number;
  /** Of blocks that were dropped: older than all others. */
  private saved: Uint8Array[] = [];
  private waiting = 0;
  private missing = 0;
  private droppedLines = 0;
  /** Of the lines to come; a block has lines of one day. */
  day = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes held, the unused rest of blocks not counted. */
  get bytes(): number {
    return this.waiting + (this.blocks.at(-1)?.used ?? 0);
  }

  /** Lines dropped since the queue was made. */
  get dropped(): number {
    return this.droppedLines;
  }

  /** The block to write a line of at most `size` bytes into; the caller moves `used` and `lines` on. */
  room(size: number): Block {
    const last = this.blocks.at(-1);
    if (last && last.bytes.length - last.used >= size && last.day === this.day) return last;
    if (last) this.waiting += last.used;
    while (this.blocks.length > 0 && this.waiting + Math.max(size, BLOCK_SIZE) > this.limit)
      this.dropOldest();
    const bytes =
      size > BLOCK_SIZE ? Buffer.allocUnsafeSlow(size) : (spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE));
    const block = { bytes, used: 0, lines: 0, continues: false, day: this.day };
    this.blocks.push(block);
    return block;
  }

  /**
   * Appends one line that is already encoded, newline included.
   * @param isKept it is not dropped with the lines around it
   */
  addLine(line: Uint8Array, isKept = false): void {
    const block = this.room(line.length);
    block.bytes.set(line, block.used);
    block.used += line.length;
    block.lines += 1;
    if (!isKept) return;
    block.kept ??= [];
    block.kept.push(line);
  }

  /** The oldest block, out of the queue; undefined when there is nothing to write. */
  take(): Block | undefined {
    if (this.saved.length > 0) {
      const bytes = Buffer.concat(this.saved);
      const lines = this.saved.length;
      this.saved = [];
      return { bytes, used: bytes.length, lines, continues: false, day: this.day };
    }
    const first = this.blocks[0];
    if (!first || first.used === 0) return undefined;
    this.blocks.shift();
    if (this.blocks.length > 0) this.waiting -= first.used;
    return first;
  }

  /** What could not be written comes first again. */
  putBack(bytes: Buffer, lines: number, continues: boolean, day: number): void {
    if (this.blocks.length > 0) this.waiting += bytes.length;
    this.blocks.unshift({ bytes, used: bytes.length, lines, continues, day });
  }

  /** How many lines are missing before the next block, told once. */
  takeMissing(): number {
    const missing = this.missing;
    this.missing = 0;
    return missing;
  }

  /** Counts lines that were lost outside the queue. */
  countLost(lines: number): void {
    this.missing += lines;
    this.droppedLines += lines;
  }

  /** Hands a written block's memory back. */
  recycle(block: Block): void {
    if (block.bytes.length === BLOCK_SIZE && spare.length < SPARE_LIMIT) spare.push(block.bytes);
  }

  private dropOldest(): void {
    const first = this.blocks.shift();
    if (!first) return;
    this.waiting -= first.used;
    this.saved.push(...(first.kept ?? []));
    const tooMany = this.saved.splice(0, Math.max(0, this.saved.length - KEPT_LIMIT));
    this.countLost(first.lines - (first.kept?.length ?? 0) + tooMany.length);
    this.recycle(first);
  }
}
