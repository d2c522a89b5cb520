const FIRST_SIZE = 2048;

/** The last stored lines of one service, bounded by bytes; grows only for services that write. */
export class Tail {
  private readonly limit: number;
  private ring = Buffer.alloc(0);
  /** Where the next byte goes. */
  private at = 0;
  private full = false;

  constructor(limit = 32 * 1024) {
    this.limit = limit;
  }

  add(bytes: Buffer, start: number, end: number): void {
    let from = Math.max(start, end - this.limit);
    this.growFor(end - from);
    while (from < end) {
      const taken = Math.min(end - from, this.ring.length - this.at);
      bytes.copy(this.ring, this.at, from, from + taken);
      from += taken;
      this.at += taken;
      if (this.at === this.ring.length) {
        this.at = 0;
        this.full = true;
      }
    }
  }

  /** Stored lines, oldest first, at most `count` of the newest. */
  lines(count: number): string[] {
    const bytes = this.full
      ? Buffer.concat([this.ring.subarray(this.at), this.ring.subarray(0, this.at)])
      : this.ring.subarray(0, this.at);
    const lines: string[] = [];
    let end = bytes.length - 1;
    while (end > 0 && lines.length < count) {
      const before = bytes.lastIndexOf(0x0a, end - 1);
      // In a full ring the oldest line has lost its beginning.
      if (before < 0 && this.full) break;
      lines.push(bytes.toString('utf8', before + 1, end));
      end = before;
    }
    return lines.reverse();
  }

  private growFor(size: number): void {
    if (this.full || this.at + size < this.ring.length || this.ring.length === this.limit) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(this.limit, Math.max(FIRST_SIZE, (this.at + size) * 2)));
    this.ring.copy(grown, 0, 0, this.at);
    this.ring = grown;
  }
}
