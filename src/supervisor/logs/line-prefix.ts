/** Puts the same text before each of many lines in one native replacement: no line is touched alone. */
import type { Block, BlockQueue } from './block-queue.ts';

const NEWLINES = /\n/g;

export interface LinePrefix {
  readonly first: string;
  /** What replaces the newline between two lines. */
  readonly between: string;
  readonly last: string;
}

/** `end` closes a line, its newline included. Latin-1 only. */
export function linePrefix(prefix: string, end = '\n'): LinePrefix {
  // In a replacement a dollar sign would mean something.
  return { first: prefix, between: `${end}${prefix}`.replaceAll('$', '$$$$'), last: end };
}

/**
 * Adds whole lines, given as Latin-1 without the last newline, so that every byte comes out as it went in. Returns the
 * block they are in, where in it they begin, and how many they are.
 */
export function addLines(
  queue: BlockQueue,
  text: string,
  { first, between, last }: LinePrefix,
): { readonly block: Block; readonly from: number; readonly lines: number } {
  const replaced = text.replace(NEWLINES, between);
  const added = first.length + last.length - 1;
  const block = queue.room(first.length + replaced.length + last.length);
  const { bytes } = block;
  const from = block.used;
  let at = from;
  at += bytes.write(first, at, 'latin1');
  at += bytes.write(replaced, at, 'latin1');
  at += bytes.write(last, at, 'latin1');
  block.used = at;
  const lines = 1 + (replaced.length - text.length) / added;
  block.lines += lines;
  return { block, from, lines };
}
