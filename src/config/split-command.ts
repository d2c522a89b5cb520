import { joinParts } from './interpolate.ts';
import type { Text } from './plan-text.ts';

/** argv, and the first unquoted sign that only a shell would understand. */
export interface SplitCommand {
  readonly argv: readonly Text[];
  readonly shellSign: string | undefined;
  /** A quote that nobody closes. */
  readonly openQuote: boolean;
}

/** Late values ride through the splitter as characters no plan is written with. */
const HOLE = 0xf0000;

/**
 * Splits a command written as one text, as a POSIX shell would split its words, without running one:
 * blanks separate, '…' keeps everything, "…" and \ escape. Nothing is expanded.
 */
export function splitCommand(command: Text): SplitCommand {
  const parts = typeof command === 'string' ? [command] : command.parts;
  const flat = parts
    .map((part, index) => (typeof part === 'string' ? part : String.fromCodePoint(HOLE + index)))
    .join('');
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  let shellSign: string | undefined;
  for (let at = 0; at < flat.length; at += 1) {
    const sign = flat[at] ?? '';
    const next = flat[at + 1];
    if (quote === undefined && /\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === undefined && (sign === '"' || sign === "'")) {
      quote = sign;
      word ??= '';
    } else if (sign === quote) quote = undefined;
    else if (
      sign === '\\' &&
      quote !== "'" &&
      next !== undefined &&
      (quote === undefined || '"\\$`'.includes(next))
    ) {
      word = (word ?? '') + (next === '\n' ? '' : next);
      at += 1;
    } else {
      if (quote === undefined) shellSign ??= /^(&&|\|\||[|;<>`&])/.exec(flat.slice(at, at + 2))?.[0];
      word = (word ?? '') + sign;
    }
  }
  if (word !== undefined) words.push(word);
  const fill = (text: string): Text =>
    joinParts(
      [...splitHoles(text)].map((piece) => (typeof piece === 'string' ? piece : (parts[piece] ?? ''))),
    );
  return { argv: words.map(fill), shellSign, openQuote: quote !== undefined };
}

function* splitHoles(text: string): Generator<string | number> {
  for (const sign of text) {
    const code = sign.codePointAt(0) ?? 0;
    yield code >= HOLE ? code - HOLE : sign;
  }
}
