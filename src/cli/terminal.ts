import { styleText } from 'node:util';
import type { Sink, Surroundings } from './surroundings.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'dim' | 'strong' | 'busy';
export type Paint = (tone: Tone, text: string) => string;

const STYLES = {
  good: 'green',
  warn: 'yellow',
  bad: 'red',
  dim: 'dim',
  strong: 'bold',
  busy: 'cyan',
} as const satisfies Record<Tone, string>;

/** Colour only on a terminal, per stream, and never against NO_COLOR (no-color.org) or TERM=dumb. */
export function wantsColor(sink: Sink, env: Surroundings['env'], off = false): boolean {
  return !off && sink.isTTY && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

export function createPaint(color: boolean): Paint {
  return (tone, text) => (color ? styleText(STYLES[tone], text, { validateStream: false }) : text);
}

// Everything a terminal obeys: CSI and OSC sequences, other escapes, and bare control characters but for the tab.
const SEQUENCE = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?/g;
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f-\x9f]/g;
const COLOR_SEQUENCE = /^\x1b\[[\d;:]*m$/;

/** A line of a service, made harmless for a terminal: nothing is left but text and, where asked, colours. */
export function tameLine(line: string, keepColor = false): string {
  const tamed: string[] = [];
  let at = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    tamed.push(line.slice(at, match.index).replaceAll(CONTROL, ''));
    if (keepColor && COLOR_SEQUENCE.test(match[0])) tamed.push(match[0]);
    at = match.index + match[0].length;
  }
  tamed.push(line.slice(at).replaceAll(CONTROL, ''));
  const text = tamed.join('');
  return keepColor && text.includes('\x1b') ? `${text}\x1b[0m` : text;
}

// Code points that take two columns (East Asian Wide, emoji) and none (combining marks, joiners), coarse on purpose.
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /\p{Mn}|\p{Me}|\p{Cf}/u;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** Columns a text without escape sequences takes. */
export function widthOf(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

function columnsOf(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** The text as lines of so many columns, broken at blanks; a longer word is cut. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line);
      line = '';
    }
    line = cutText(line === '' ? word : `${line} ${word}`, width);
  }
  return [...lines, line];
}

/** A sentence that says too much to be cut. */
export function wrapped(text: string, width: number | undefined, tone: Tone, paint: Paint): string {
  const lines = width === undefined ? [text] : wrapText(text, width);
  return lines.map((line) => paint(tone, line)).join('\n');
}

/** The text cut to so many columns, with an ellipsis where something was cut. */
export function cutText(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return '';
  let cut = '';
  let used = 0;
  for (const character of text) {
    used += columnsOf(character);
    if (used > width - 1) break;
    cut += character;
  }
  return `${cut.trimEnd()}…`;
}
