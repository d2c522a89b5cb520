import { linePosition, lineText, type SourceFile } from './located.ts';
import { hideSecretsOfLine } from './secrets.ts';

/** What the parser found, before it is told to people. */
export interface SyntaxError {
  readonly code: string;
  readonly pos: readonly [number, number];
  readonly message: string;
}

export interface Explained {
  readonly message: string;
  readonly suggestion: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** The parser's errors in words of people who edit files, not of people who write parsers. */
export function explainSyntax(error: SyntaxError, file: SourceFile): Explained {
  const [start, end] = error.pos;
  const { line } = linePosition(file, start);
  const text = lineText(file, line);
  const lineStart = file.lineStarts[line - 1] ?? 0;
  const explain = (message: string, suggestion?: string, from = start, to = end): Explained => ({
    message,
    suggestion,
    start: from,
    end: to,
  });
  const indent = text.length - text.trimStart().length;
  const tab = /^[ ]*\t+/.exec(text);
  if (error.code === 'TAB_AS_INDENT' || tab) {
    const width = tab?.[0].length ?? 1;
    return explain(
      'a tab indents this line; YAML allows only spaces',
      'use two spaces per level',
      lineStart,
      lineStart + width,
    );
  }
  const unquoted = /:\s+([*&!%@`|>?].*)$/.exec(text) ?? /^\s*-\s+([*&!%@`|>?].*)$/.exec(text);
  if (
    unquoted &&
    (error.code === 'UNEXPECTED_TOKEN' || error.code === 'BAD_SCALAR_START' || error.code === 'BAD_ALIAS')
  ) {
    const value = (unquoted[1] ?? '').trimEnd();
    const at = lineStart + text.indexOf(value);
    const open = hideSecretsOfLine(text) === text;
    return explain(
      `a value cannot start with ${value[0] ?? ''} in YAML unless it is quoted`,
      open ? `write "${value.replaceAll('"', '\\"')}" in quotes` : 'put it in quotes',
      at,
      at + value.length,
    );
  }
  const loose = /[{[][^"']*?[:,[]\s*([^\s"',{}[\]]*\$\{[^}]*\}?)/.exec(text);
  if (loose) {
    const at = lineStart + text.indexOf(loose[1] ?? '');
    return explain(
      'inside { } and [ ] a value with ${…} must be in quotes',
      `write "${loose[1]}"`,
      at,
      at + (loose[1]?.length ?? 1),
    );
  }
  switch (error.code) {
    case 'BAD_INDENT':
      return /flow/i.test(error.message)
        ? explain(
            'a bracket that was opened above is not closed here',
            `close it with ${error.message.includes(']') ? ']' : '}'}`,
          )
        : explain(
            `this line is indented by ${indent} ${indent === 1 ? 'space' : 'spaces'}, unlike the lines it belongs to`,
            'give all keys of one map the same indentation',
            lineStart,
            lineStart + Math.max(1, indent),
          );
    case 'BLOCK_AS_IMPLICIT_KEY':
      return explain(
        'a second ": " on one line makes a map inside a value',
        'put the value in quotes',
        start,
        lineStart + text.trimEnd().length,
      );
    case 'MULTILINE_IMPLICIT_KEY': {
      const key = /^([\w.-]+):\S/.exec(text.trim())?.[1];
      const to = lineStart + text.trimEnd().length;
      return key === undefined
        ? explain('this line is no "key: value": there is no colon in it', undefined, lineStart + indent, to)
        : explain('there is no space after the colon', `write "${key}: …"`, lineStart + indent, to);
    }
    case 'MISSING_CHAR':
      return /quote/.test(error.message)
        ? explainOpenQuote(file, explain)
        : explain(lowerFirst(error.message), undefined);
    case 'MULTIPLE_DOCS':
      return explain(
        'a second document starts here (---); a file holds one plan',
        'put it in a file of its own',
        start,
        start + 3,
      );
    case 'UNEXPECTED_TOKEN':
      return explain(
        'this does not belong here',
        'check the quotes and the indentation of this line and the one above',
      );
    default:
      return explain(lowerFirst(error.message), undefined);
  }
}

/** The parser notices an open quote at the end of the file; people want the line where it opens. */
function explainOpenQuote(
  file: SourceFile,
  explain: (message: string, suggestion: string | undefined, start: number, end: number) => Explained,
): Explained {
  for (const [index, lineStart] of file.lineStarts.entries()) {
    const text = lineText(file, index + 1);
    const open = /(?:[:,[{-]\s+|^\s*|[[{])(["'])/.exec(text);
    if (!open) continue;
    const quote = open[1] ?? '"';
    if (text.split(quote).length % 2 === 1) continue;
    const at = lineStart + open.index + open[0].length - 1;
    return explain(`this quote is never closed`, `end the value with ${quote}`, at, at + 1);
  }
  return explain('a quote is never closed', undefined, file.text.length - 1, file.text.length);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
