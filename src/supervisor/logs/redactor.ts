/**
 * Takes secrets out of lines before anybody keeps or shows them: the values PID 1 knows, wherever they stand, and in
 * records what a key names as a secret. Whole lines are searched, so it does not matter how they came.
 */
import { MASK } from '../../config/secrets.ts';
import { maskNamed, namesSecret } from './secret-keys.ts';
import { SecretSearch, SHORTEST } from './secret-search.ts';

/** `app` as a password would star out half of every log. */
const SHORTEST_SECRET = Math.max(8, SHORTEST);
/** A longer one is hidden in pieces. */
const LONGEST = 512;
const OPEN_BRACE = 0x7b;

export class Redactor {
  private readonly known = new Set<string>();
  /** Latin-1 of their bytes, the longest first: one may hold another. */
  private values: readonly string[] = [];
  private search = new SecretSearch([]);
  private readonly isPublic: (value: string) => boolean;

  /** @param isPublic a value that everybody knows, so that nothing is hidden with it: a name */
  constructor(isPublic: (value: string) => boolean = () => false) {
    this.isPublic = isPublic;
  }

  /** From now on these are hidden, for good: what was a secret stays one. */
  learn(secrets: Iterable<string>): void {
    const before = this.known.size;
    for (const secret of secrets) {
      for (const line of linesOf(secret)) {
        if (!this.isPublic(line)) for (const form of formsOf(line)) this.learnForm(form);
      }
    }
    if (this.known.size === before) return;
    const all = [...this.known].sort((a, b) => b.length - a.length);
    this.values = all;
    // Where a part is found, the whole is: one search less.
    const shortest = all.filter((value) => !all.some((other) => other !== value && value.includes(other)));
    this.search = new SecretSearch(shortest.map((value) => Buffer.from(value, 'latin1')));
  }

  /** Whether a secret stands in whole lines; `text`: the same in Latin-1, only where there are records among them. */
  touches(bytes: Buffer, text: string | undefined): boolean {
    return this.search.finds(bytes, 0, bytes.length) || (text !== undefined && namesSecret(text));
  }

  /** The line without secrets; undefined: there are none. */
  hide(bytes: Buffer, start: number, end: number): Buffer | undefined {
    const masked = bytes[start] === OPEN_BRACE ? maskNamed(bytes.toString('utf8', start, end)) : undefined;
    if (masked !== undefined) {
      const line = Buffer.from(masked);
      return this.hideValues(line, 0, line.length) ?? line;
    }
    return this.hideValues(bytes, start, end);
  }

  /** A text of ours without secrets. */
  hideText(text: string): string {
    const bytes = Buffer.from(text);
    return this.hideValues(bytes, 0, bytes.length)?.toString() ?? text;
  }

  /** Where at or before `end` a line may be cut in two so that no secret is. */
  cutBefore(bytes: Buffer, end: number): number {
    let cut = end;
    for (const value of this.values) {
      for (let length = Math.min(value.length - 1, end); length > end - cut; length -= 1) {
        if (bytes.toString('latin1', end - length, end) === value.slice(0, length)) cut = end - length;
      }
    }
    return cut;
  }

  private hideValues(bytes: Buffer, start: number, end: number): Buffer | undefined {
    if (!this.search.finds(bytes, start, end)) return undefined;
    let text = bytes.toString('latin1', start, end);
    for (const value of this.values) text = text.replaceAll(value, MASK);
    return Buffer.from(text, 'latin1');
  }

  private learnForm(form: string): void {
    const bytes = Buffer.from(form);
    for (let from = 0; from < bytes.length; from += LONGEST) {
      const piece = bytes.toString('latin1', from, from + LONGEST);
      if (piece.length >= SHORTEST_SECRET) this.known.add(piece);
    }
  }
}

/** A secret of several lines is several, the frame of a PEM file apart. */
function linesOf(secret: string): readonly string[] {
  return secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_SECRET && !line.startsWith('-----'));
}

/** As it may stand in a line: by itself, in JSON, in a URL or a form, in base64. Most secrets are the same in most. */
function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret);
  return [
    secret,
    json,
    json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    url,
    url.replace(/%../g, (byte) => byte.toLowerCase()),
    new URLSearchParams([['', secret]]).toString().slice(1),
    ...[0, 1, 2].flatMap((before) => inBase64(secret, before)),
  ];
}

/** With so many bytes before it, as `user:` of Basic authorization: what its own bytes alone decide. */
function inBase64(secret: string, before: number): readonly string[] {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  const [from, to] = [before === 0 ? 0 : before + 1, Math.floor((bytes.length * 8) / 6)];
  return (['base64', 'base64url'] as const).map((alphabet) => bytes.toString(alphabet).slice(from, to));
}
