import type { Located } from './located.ts';

export interface FormatOptions {
  readonly color: boolean;
  /** No more than this many are spelt out; the rest is counted. Default 20. */
  readonly limit?: number;
}

const STYLES = { bold: '1', red: '1;31', yellow: '1;33', blue: '34', dim: '2' } as const;

/**
 * Problems for people, one block each: what, where, the line with a caret, the suggestion, and a sum at the end.
 * The form is stable; programs take `problemsToJson`.
 */
export function formatProblems(problems: readonly Located[], { color, limit = 20 }: FormatOptions): string {
  const paint = (style: keyof typeof STYLES, text: string): string =>
    color && text !== '' ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
  const blocks = problems.slice(0, limit).map((problem) => formatProblem(problem, paint));
  if (problems.length === 0) return '';
  const hidden = problems.length - limit;
  const sum = countProblems(problems) + (hidden > 0 ? `, ${hidden} of them not shown` : '');
  return `${blocks.join('\n\n')}\n\n${sum}\n`;
}

function formatProblem(
  problem: Located,
  paint: (style: keyof typeof STYLES, text: string) => string,
): string {
  const { severity, code, file, line, column, length, source, message, suggestion, note } = problem;
  const head = paint(severity === 'error' ? 'red' : 'yellow', `${severity}[${code}]`);
  const lines = [`${head}: ${paint('bold', message)}`];
  if (line > 0) {
    const number = String(line);
    const gutter = ' '.repeat(number.length);
    const shown = cutLine(source ?? '', column, length);
    lines.push(
      `${gutter}${paint('blue', '-->')} ${file}:${line}:${column}`,
      `${gutter} ${paint('blue', '|')}`,
      `${paint('blue', `${number} |`)} ${shown.text}`.trimEnd(),
      `${gutter} ${paint('blue', '|')} ${shown.indent}${paint(severity === 'error' ? 'red' : 'yellow', '^'.repeat(shown.length))}${suggestion === undefined ? '' : ` ${suggestion}`}`,
    );
    if (note !== undefined) lines.push(`${gutter} ${paint('blue', '=')} ${paint('dim', note)}`);
  } else {
    lines.push(` ${paint('blue', '-->')} ${file}${source === undefined ? '' : `: ${source}`}`);
    if (suggestion !== undefined) lines.push(` ${paint('blue', '=')} ${suggestion}`);
    if (note !== undefined) lines.push(` ${paint('blue', '=')} ${paint('dim', note)}`);
  }
  return lines.join('\n');
}

const WIDTH = 100;

/** Keeps the marked part of a very long line in sight; tabs keep the caret below what it marks. */
function cutLine(
  source: string,
  column: number,
  length: number,
): { text: string; indent: string; length: number } {
  // What a terminal would obey rather than show.
  const line = source.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '�');
  const from = column > WIDTH - 20 ? column - 40 : 0;
  const text = `${from > 0 ? '…' : ''}${line.slice(from, from + WIDTH)}${line.length > from + WIDTH ? '…' : ''}`;
  const before = `${from > 0 ? '…' : ''}${line.slice(from, column - 1)}`;
  const room = Math.max(1, WIDTH - before.length);
  return { text, indent: before.replaceAll(/[^\t]/g, ' '), length: Math.min(length, room) };
}

/** `2 errors and 1 warning` */
export function countProblems(problems: readonly Located[]): string {
  const count = (severity: Located['severity']): string | undefined => {
    const found = problems.filter((problem) => problem.severity === severity).length;
    return found === 0 ? undefined : `${found} ${severity}${found === 1 ? '' : 's'}`;
  };
  return [count('error'), count('warning')].filter((part) => part !== undefined).join(' and ');
}

/** Problems for programs: one object each, missing parts as null. */
export function problemsToJson(problems: readonly Located[]): Record<string, string | number | null>[] {
  return problems.map(
    ({ severity, code, file, line, column, length, source, message, suggestion, note }) => ({
      severity,
      code,
      file,
      line: line === 0 ? null : line,
      column: line === 0 ? null : column,
      length,
      source: source ?? null,
      message,
      suggestion: suggestion ?? null,
      note: note ?? null,
    }),
  );
}
