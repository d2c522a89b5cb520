/** Problems with a place: file, line, column, the line itself. Every message of this room is one of these. */

/** One file of the configuration as it was read. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
}

/** Characters `start` to `end` (exclusive) of a file. */
export interface Place {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** One problem, told to a person and to programs alike. Lines and columns count from 1. */
export interface Located {
  readonly severity: 'error' | 'warning';
  /** Stable and short, e.g. `unknown-key`: for programs to branch on. */
  readonly code: string;
  /** Path of the file, or `environment`, or `command line`. */
  readonly file: string;
  /** 0: the problem has no place in a file. */
  readonly line: number;
  readonly column: number;
  /** How many characters the caret underlines. */
  readonly length: number;
  /** The line itself, secrets starred out; for the environment `NAME=value`. */
  readonly source: string | undefined;
  /** One sentence, lower case, without a final stop. */
  readonly message: string;
  /** What to write instead, e.g. `did you mean "command"?`. */
  readonly suggestion: string | undefined;
  /** More that helps, e.g. what is allowed here. */
  readonly note: string | undefined;
}

export function makeSourceFile(path: string, text: string): SourceFile {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return { path, text, lineStarts };
}

/** Line and column, from 1, of an offset; the end of the last written line for offsets behind it. */
export function linePosition(file: SourceFile, offset: number): { line: number; column: number } {
  const bounded = Math.min(Math.max(offset, 0), file.text.trimEnd().length);
  let low = 0;
  let high = file.lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((file.lineStarts[middle] ?? 0) <= bounded) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: bounded - (file.lineStarts[low] ?? 0) + 1 };
}

/** The text of a line, counted from 1, without its line break. */
export function lineText(file: SourceFile, line: number): string {
  const start = file.lineStarts[line - 1] ?? file.text.length;
  const end = file.lineStarts[line] ?? file.text.length + 1;
  return file.text.slice(start, end - 1).replace(/\r$/, '');
}

/** `/etc/bulkhead/core.yaml:14` */
export function describePlace(place: Place): string {
  return `${place.file.path}:${linePosition(place.file, place.start).line}`;
}
