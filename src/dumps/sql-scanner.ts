/** Finds the end of one statement, remembering how far it came when the bytes run out. */
import { type SqlToken, TOKENS_KEPT } from './sql-tokens.ts';

export interface Found {
  readonly kind: 'statement' | 'command';
  /** Byte offsets: without leading space and comments, with the semicolon; `next`: where to go on. */
  readonly start: number;
  readonly end: number;
  readonly next: number;
  readonly tokens: readonly SqlToken[];
}

type Mode = 'plain' | 'single' | 'escape' | 'double' | 'dollar' | 'comment';

const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const QUOTE = 0x27;
const DOUBLE = 0x22;
const DOLLAR = 0x24;
const SEMICOLON = 0x3b;
const DASH = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;
const OPEN = 0x28;
const CLOSE = 0x29;

/** Letters, digits, underscore and everything that is not ASCII; a dollar sign may follow, but not begin. */
const WORD = new Uint8Array(256).map((_, byte) =>
  Number(
    (byte >= 48 && byte <= 57) ||
      (byte >= 65 && byte <= 90) ||
      (byte >= 97 && byte <= 122) ||
      byte === 95 ||
      byte >= 128,
  ),
);

export class SqlScanner {
  private at = 0;
  private mode: Mode = 'plain';
  private start = -1;
  private tokenStart = 0;
  private parentheses = 0;
  private comments = 0;
  private bodies = 0;
  private tag: Buffer = Buffer.alloc(0);
  private words: string[] = [];
  private tokens: SqlToken[] = [];
  /** `SET standard_conforming_strings = off`: then a backslash escapes in every string. */
  private backslashEscapes = false;

  get isQuoted(): boolean {
    return this.mode !== 'plain';
  }

  /** What stands there when the text ends, though no semicolon ended it; undefined: nothing. */
  takeLast(bytes: Buffer): Found | undefined {
    if (this.start < 0) return undefined;
    const { start, tokens } = this;
    this.forget();
    return { kind: 'statement', start, end: bytes.length, next: bytes.length, tokens };
  }

  /** Undefined where the bytes end before the statement does: call again with the same bytes and more behind them. */
  scan(bytes: Buffer, final: boolean): Found | undefined {
    const { length } = bytes;
    while (this.at < length) {
      if (this.mode !== 'plain') {
        if (!this.skipQuoted(bytes, final)) return undefined;
        continue;
      }
      const byte = bytes[this.at] ?? 0;
      if (byte <= 0x20) {
        this.at += 1;
        continue;
      }
      const next = bytes[this.at + 1];
      // `--`, `/*` and a dollar tag are known only by what follows.
      if (next === undefined && !final && (byte === DASH || byte === SLASH)) return undefined;
      if (byte === DASH && next === DASH) {
        const end = bytes.indexOf(NEWLINE, this.at);
        if (end < 0 && !final) return undefined;
        this.at = end < 0 ? length : end + 1;
        continue;
      }
      if (byte === SLASH && next === STAR) {
        this.mode = 'comment';
        this.comments = 1;
        this.at += 2;
        continue;
      }
      if (byte === BACKSLASH) {
        const command = this.takeCommand(bytes, final);
        if (command !== undefined) return command;
        return undefined;
      }
      if (this.start < 0 && byte !== SEMICOLON) this.begin();
      if (byte === SEMICOLON && this.parentheses === 0 && this.bodies === 0) {
        // A lone semicolon is an empty statement; nobody misses it.
        if (this.start < 0) {
          this.at += 1;
          continue;
        }
        return this.finish();
      }
      if (!this.takeToken(bytes, byte, final)) return undefined;
    }
    return undefined;
  }

  private begin(): void {
    this.start = this.at;
    this.parentheses = 0;
    this.bodies = 0;
    this.words = [];
    this.tokens = [];
  }

  private finish(): Found {
    this.at += 1;
    const found: Found = {
      kind: 'statement',
      start: this.start,
      end: this.at,
      next: this.at,
      tokens: this.tokens,
    };
    this.noteStringSetting();
    this.forget();
    return found;
  }

  private forget(): void {
    this.at = 0;
    this.start = -1;
    this.tokens = [];
  }

  private takeCommand(bytes: Buffer, final: boolean): Found | undefined {
    const end = bytes.indexOf(NEWLINE, this.at);
    if (end < 0 && !final) return undefined;
    const stop = end < 0 ? bytes.length : end;
    const found: Found = {
      kind: 'command',
      start: this.at,
      end: stop,
      next: Math.min(stop + 1, bytes.length),
      tokens: [],
    };
    this.forget();
    return found;
  }

  /** One word, quoted thing or single character. False where more bytes are needed to know. */
  private takeToken(bytes: Buffer, byte: number, final: boolean): boolean {
    if (byte === QUOTE) return this.open('single', this.at, 1);
    if (byte === DOUBLE) return this.open('double', this.at, 1);
    if (byte === DOLLAR) return this.openDollar(bytes, final);
    if (WORD[byte] === 1) return this.takeWord(bytes, final);
    if (byte === OPEN) this.parentheses += 1;
    else if (byte === CLOSE) this.parentheses = Math.max(0, this.parentheses - 1);
    else this.keep('other', String.fromCharCode(byte), this.at, this.at + 1);
    this.at += 1;
    return true;
  }

  private takeWord(bytes: Buffer, final: boolean): boolean {
    let end = this.at + 1;
    while (end < bytes.length && (WORD[bytes[end] ?? 0] === 1 || bytes[end] === DOLLAR)) end += 1;
    if (end === bytes.length && !final) return false;
    const { at } = this;
    const length = end - at;
    // E'…' and friends: one letter that changes what the string means.
    if (length === 1 && bytes[end] === QUOTE) {
      const letter = (bytes[at] ?? 0) | 0x20;
      if (letter === 0x65) return this.open('escape', at, 2);
      if (letter === 0x62 || letter === 0x78 || letter === 0x6e) return this.open('single', at, 2);
    }
    // Inside a long list of values nothing needs to be kept.
    if (this.parentheses === 0 && length <= 64) {
      const word = bytes.toString('utf8', at, end).toLowerCase();
      this.keep('word', word, at, end);
      this.followBody(word);
    }
    this.at = end;
    return true;
  }

  /** CREATE FUNCTION … BEGIN ATOMIC …; …; END: psql's own rule (psqlscan.l), word for word. */
  private followBody(word: string): void {
    if (this.words.length < 4) this.words.push(word);
    const [first, second, third, fourth] = this.words;
    const routine = (name: string | undefined): boolean => name === 'function' || name === 'procedure';
    const creates =
      first === 'create' && (routine(second) || (second === 'or' && third === 'replace' && routine(fourth)));
    if (!creates) return;
    if (word === 'begin') this.bodies += 1;
    else if (word === 'case' && this.bodies > 0) this.bodies += 1;
    else if (word === 'end' && this.bodies > 0) this.bodies -= 1;
  }

  private open(mode: Mode, tokenStart: number, skip: number): boolean {
    this.mode = mode === 'single' && this.backslashEscapes ? 'escape' : mode;
    this.tokenStart = tokenStart;
    this.at = tokenStart + skip;
    return true;
  }

  private openDollar(bytes: Buffer, final: boolean): boolean {
    let end = this.at + 1;
    while (end < bytes.length && WORD[bytes[end] ?? 0] === 1) end += 1;
    if (end === bytes.length && !final) return false;
    const first = bytes[this.at + 1] ?? 0;
    if (bytes[end] !== DOLLAR || (first >= 48 && first <= 57)) {
      this.at = Math.max(this.at + 1, end);
      return true;
    }
    this.tag = Buffer.from(bytes.subarray(this.at, end + 1));
    return this.open('dollar', this.at, this.tag.length);
  }

  /** Goes to the end of what is open. False where it is not in these bytes. */
  private skipQuoted(bytes: Buffer, final: boolean): boolean {
    if (this.mode === 'comment') return this.skipComment(bytes, final);
    if (this.mode === 'dollar') {
      const end = bytes.indexOf(this.tag, this.at);
      if (end < 0) {
        this.at = Math.max(this.at, bytes.length - this.tag.length + 1);
        return false;
      }
      return this.close(bytes, end + this.tag.length);
    }
    const quote = this.mode === 'double' ? DOUBLE : QUOTE;
    while (this.at < bytes.length) {
      const byte = bytes[this.at];
      if (byte === BACKSLASH && this.mode === 'escape') {
        if (this.at + 1 >= bytes.length) return false;
        this.at += 2;
        continue;
      }
      if (byte === quote) {
        const next = bytes[this.at + 1];
        if (next === undefined && !final) return false;
        if (next !== quote) return this.close(bytes, this.at + 1);
        this.at += 1;
      }
      this.at += 1;
    }
    return false;
  }

  private skipComment(bytes: Buffer, final: boolean): boolean {
    while (this.at < bytes.length) {
      const byte = bytes[this.at];
      if (byte !== STAR && byte !== SLASH) {
        this.at += 1;
        continue;
      }
      const next = bytes[this.at + 1];
      if (next === undefined && !final) return false;
      const opens = byte === SLASH && next === STAR;
      const closes = byte === STAR && next === SLASH;
      this.at += opens || closes ? 2 : 1;
      this.comments += opens ? 1 : closes ? -1 : 0;
      if (this.comments === 0) {
        this.mode = 'plain';
        return true;
      }
    }
    return false;
  }

  private close(bytes: Buffer, end: number): boolean {
    const { mode } = this;
    this.mode = 'plain';
    this.at = end;
    if (this.parentheses > 0 || this.tokens.length >= TOKENS_KEPT) return true;
    if (mode === 'double') {
      const name = bytes.toString('utf8', this.tokenStart + 1, end - 1).replaceAll('""', '"');
      this.keep('quoted', name, this.tokenStart, end);
    } else if (end - this.tokenStart <= 256) {
      this.keep('text', bytes.toString('utf8', this.tokenStart, end), this.tokenStart, end);
    } else this.keep('text', '', this.tokenStart, end);
    return true;
  }

  private keep(kind: SqlToken['kind'], text: string, start: number, end: number): void {
    if (this.parentheses > 0 || this.tokens.length >= TOKENS_KEPT) return;
    this.tokens.push({ kind, text, start: start - this.start, end: end - this.start });
  }

  private noteStringSetting(): void {
    const [set, first, second, third] = this.tokens.map(({ text }) => text);
    if (set !== 'set') return;
    const at = first === 'session' || first === 'local' ? 1 : 0;
    if ((at === 0 ? first : second) !== 'standard_conforming_strings') return;
    const value = this.tokens[at + 3]?.text ?? third;
    this.backslashEscapes = value === 'off' || value === "'off'" || value === 'false';
  }
}
