/** The longest line that stays whole, in bytes; what is longer is cut into pieces of at most this. */
export const MAX_LINE = 64 * 1024;

/** What a line contains besides printable ASCII, found in the same pass as its end. */
const QUOTES = 1;
export const CONTROLS = 2;
export const HIGH = 4;

/** How a piece relates to its neighbours. */
export const GOES_ON = 1;
export const CONTINUES = 2;

/** Called for each line, without its newline; the bytes are valid only during the call. */
export type OnLine = (bytes: Buffer, start: number, end: number, content: number, part: number) => void;

const NEWLINE = 0x0a;

const CONTENT = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return HIGH;
  // A tab is harmless on a terminal but must be escaped in JSON, like the quote and the backslash.
  if (byte === 0x22 || byte === 0x5c || byte === 0x09) return QUOTES;
  return byte < 0x20 || byte === 0x7f ? CONTROLS : 0;
});

/** Cuts one stream into lines, on bytes: nothing is decoded, so a character split over two chunks stays whole. */
export class LineSplitter {
  private readonly onLine: OnLine;
  private readonly cutBefore: (bytes: Buffer, end: number) => number;
  /** The beginning of a line whose end has not come yet. */
  private carry: Buffer | undefined;
  private carried = 0;
  private carriedContent = 0;
  private part = 0;

  /** @param cutBefore where at or before `end` an unfinished line may be cut; one that is too long not at its beginning */
  constructor(onLine: OnLine, cutBefore: (bytes: Buffer, end: number) => number = (_, end) => end) {
    this.onLine = onLine;
    this.cutBefore = cutBefore;
  }

  /** True while an unfinished line is held back. */
  get holds(): boolean {
    return this.carried > 0;
  }

  /** True while the next byte belongs to a line that has begun, held back or not. */
  get isInside(): boolean {
    return this.carried > 0 || this.part !== 0;
  }

  push(chunk: Buffer): void {
    const length = chunk.length;
    let start = 0;
    while (start < length) {
      let content = 0;
      let at = start;
      for (; at < length; at += 1) {
        const byte = chunk[at] as number;
        if (byte === NEWLINE) break;
        content |= CONTENT[byte] as number;
      }
      const ended = at < length;
      if (ended && this.carried === 0 && at - start <= MAX_LINE) {
        this.onLine(chunk, start, at, content, this.part);
        this.part = 0;
      } else {
        this.hold(chunk, start, at, content);
        if (ended) this.release();
      }
      start = at + 1;
    }
  }

  /** The first byte of an unfinished line of which nothing was given out yet; undefined: there is none. */
  get firstHeld(): number | undefined {
    return this.carried > 0 && this.part === 0 ? this.carry?.[0] : undefined;
  }

  /** Gives out what is held back as a whole line: nothing comes any more. */
  flush(): void {
    if (this.carried > 0) this.release();
    this.carry = undefined;
  }

  /** Gives out what is held back as a piece that goes on, as far as it may be cut. Returns whether that was anything. */
  flushPiece(): boolean {
    const { carry } = this;
    const cut = carry === undefined ? 0 : this.cutBefore(carry, this.carried);
    if (carry === undefined || cut <= 0) return false;
    this.cutOff(carry, cut);
    if (this.carried === 0) this.forget();
    return true;
  }

  private hold(chunk: Buffer, from: number, to: number, content: number): void {
    let start = from;
    this.carriedContent |= content;
    for (;;) {
      const taken = Math.min(to - start, MAX_LINE - this.carried);
      const carry = this.roomFor(this.carried + taken);
      chunk.copy(carry, this.carried, start, start + taken);
      this.carried += taken;
      start += taken;
      if (start === to) return;
      this.cutOff(carry, characterBoundary(carry, this.cutBefore(carry, this.carried)));
    }
  }

  private cutOff(carry: Buffer, cut: number): void {
    const { part } = this;
    this.part = CONTINUES;
    this.onLine(carry, 0, cut, this.carriedContent, part | GOES_ON);
    carry.copyWithin(0, cut, this.carried);
    this.carried -= cut;
  }

  private release(): void {
    const { carry, carried, carriedContent, part } = this;
    this.part = 0;
    this.forget();
    if (carry) this.onLine(carry, 0, carried, carriedContent, part);
  }

  private forget(): void {
    this.carried = 0;
    this.carriedContent = 0;
    // A quiet service keeps no 64 KiB for the one long line it wrote.
    if (this.carry && this.carry.length > 4096) this.carry = undefined;
  }

  private roomFor(size: number): Buffer {
    if (this.carry && this.carry.length >= size) return this.carry;
    const grown = Buffer.allocUnsafeSlow(Math.min(MAX_LINE, Math.max(512, size * 2)));
    this.carry?.copy(grown, 0, 0, this.carried);
    this.carry = grown;
    return grown;
  }
}

/** The last place at or before `end` that does not cut a UTF-8 character; `end` itself where the bytes are no UTF-8. */
function characterBoundary(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3; back += 1) {
    const byte = bytes[end - back] ?? 0;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needs > back ? end - back : end;
    }
  }
  return end;
}
