/**
 * Cuts a stream of SQL into statements, COPY data and psql's commands, as psql would: strings, dollar quotes, nested
 * comments, parentheses and SQL-standard function bodies hide the semicolons inside them. It works on bytes, so any
 * encoding passes in which ASCII bytes mean ASCII (all that a server may have).
 */
import { countNewlines } from './count-newlines.ts';
import { SqlScanner } from './sql-scanner.ts';
import { hasWords, type SqlToken } from './sql-tokens.ts';

export type SqlPiece =
  /** With its semicolon; `copies`: the pieces that follow are its data. */
  | {
      readonly kind: 'statement';
      readonly bytes: Buffer;
      readonly tokens: readonly SqlToken[];
      readonly line: number;
      readonly copies: boolean;
    }
  /** Whole lines or parts of them. `rows`: line ends in it. */
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly rows: number }
  | { readonly kind: 'dataEnd' }
  /** A backslash command outside of COPY data, with its arguments. */
  | { readonly kind: 'command'; readonly text: string; readonly line: number };

/** Where the text ended: anything but `between` means that something is missing. */
export type SplitEnd = 'between' | 'statement' | 'quoted' | 'data';

const NEWLINE = 0x0a;
const TERMINATOR = Buffer.from('\\.');

export class SqlSplitter {
  private readonly scanner = new SqlScanner();
  private rest: Buffer = Buffer.alloc(0);
  private room: Buffer = Buffer.allocUnsafeSlow(0);
  private inData = false;
  private atLineStart = true;
  private line = 1;

  /** The pieces that are complete with this chunk. They may share its memory: use them before it changes. */
  *push(chunk: Buffer): Generator<SqlPiece, void, void> {
    this.rest = this.rest.length === 0 ? chunk : this.append(chunk);
    yield* this.drain(false);
  }

  /** Into memory that is kept and doubles: a long statement is not copied anew with every chunk of it. */
  private append(chunk: Buffer): Buffer {
    const { rest } = this;
    const needed = rest.length + chunk.length;
    const from = rest.buffer === this.room.buffer ? rest.byteOffset - this.room.byteOffset : -1;
    if (from >= 0 && from + needed <= this.room.length) {
      chunk.copy(this.room, from + rest.length);
      return this.room.subarray(from, from + needed);
    }
    const room = needed <= this.room.length ? this.room : Buffer.allocUnsafeSlow(2 * needed);
    rest.copy(room, 0);
    chunk.copy(room, rest.length);
    this.room = room;
    return room.subarray(0, needed);
  }

  /** The pieces that only the end of the text completes, a statement without its semicolon too, and where it ended. */
  *end(): Generator<SqlPiece, SplitEnd, void> {
    yield* this.drain(true);
    if (this.inData) return 'data';
    if (this.scanner.isQuoted) return 'quoted';
    const last = this.scanner.takeLast(this.rest);
    if (last === undefined) return 'between';
    const line = this.line + countNewlines(this.rest, 0, last.start);
    const bytes = this.rest.subarray(last.start);
    yield { kind: 'statement', bytes, tokens: last.tokens, line, copies: false };
    return 'statement';
  }

  private *drain(final: boolean): Generator<SqlPiece, void, void> {
    for (;;) {
      if (this.inData) {
        const piece = this.takeData(final);
        if (piece.data) yield piece.data;
        if (!piece.ended) return;
        this.inData = false;
        yield { kind: 'dataEnd' };
        continue;
      }
      const found = this.scanner.scan(this.rest, final);
      if (found === undefined) return;
      const bytes = this.rest.subarray(found.start, found.end);
      const line = this.line + countNewlines(this.rest, 0, found.start);
      this.line += countNewlines(this.rest, 0, found.next);
      this.rest = this.rest.subarray(found.next);
      if (found.kind === 'command') {
        yield { kind: 'command', text: bytes.toString('utf8').trim(), line };
        continue;
      }
      this.inData = isCopyFromStdin(found.tokens);
      this.atLineStart = true;
      yield { kind: 'statement', bytes, tokens: found.tokens, line, copies: this.inData };
    }
  }

  /** COPY data ends at a line that is `\.`; in the text format nothing else can look so, in CSV psql stops there too. */
  private takeData(final: boolean): { readonly data: SqlPiece | undefined; readonly ended: boolean } {
    let from = 0;
    // The rest of the line that COPY stands on is not data.
    if (this.skipping) {
      const at = this.rest.indexOf(NEWLINE);
      if (at < 0) return { data: undefined, ended: false };
      from = at + 1;
      this.line += 1;
      this.skipping = false;
    }
    let search = from;
    for (;;) {
      const at = this.rest.indexOf(TERMINATOR, search);
      if (at < 0) break;
      const startsLine = at === from ? this.atLineStart : this.rest[at - 1] === NEWLINE;
      const next = startsLine ? lineEndAfter(this.rest, at + 2, final) : undefined;
      if (startsLine && next === undefined) return this.giveData(from, at, at, false);
      if (next !== undefined && next > 0) return this.giveData(from, at, next, true);
      search = at + 2;
    }
    // A beginning of the terminator at the very end must wait for what follows it.
    const keep = !final && this.rest.at(-1) === TERMINATOR[0] ? this.rest.length - 1 : this.rest.length;
    return this.giveData(from, Math.max(from, keep), Math.max(from, keep), false);
  }

  private giveData(
    from: number,
    to: number,
    next: number,
    ended: boolean,
  ): { data: SqlPiece | undefined; ended: boolean } {
    const bytes = this.rest.subarray(from, to);
    const rows = countNewlines(bytes, 0, bytes.length);
    this.line += rows + (ended ? 1 : 0);
    if (bytes.length > 0) this.atLineStart = bytes.at(-1) === NEWLINE;
    this.rest = this.rest.subarray(next);
    if (ended) this.skipping = true;
    return { data: bytes.length === 0 ? undefined : { kind: 'data', bytes, rows }, ended };
  }

  /** Set for the next block of data. */
  private skipping = true;
}

/** The end of a line that ends here, 0 where it does not end here, undefined where more bytes must tell. */
function lineEndAfter(bytes: Buffer, at: number, final: boolean): number | undefined {
  if (bytes[at] === NEWLINE) return at + 1;
  if (bytes[at] === 0x0d && bytes[at + 1] === NEWLINE) return at + 2;
  if (at < bytes.length && !(bytes[at] === 0x0d && at + 1 === bytes.length)) return 0;
  return final ? bytes.length : undefined;
}

function isCopyFromStdin(tokens: readonly SqlToken[]): boolean {
  if (!hasWords(tokens, 0, 'copy')) return false;
  return tokens.some((_, index) => hasWords(tokens, index, 'from', 'stdin'));
}
