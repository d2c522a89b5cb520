import { type Located, linePosition, lineText, type Place } from './located.ts';
import { hideSecrets, hideSecretsOfLine } from './secrets.ts';

export interface ProblemDetails {
  readonly suggestion?: string | undefined;
  readonly note?: string | undefined;
}

/** Where a problem is when no file holds it. */
export interface Outside {
  readonly outside: 'environment' | 'command line' | string;
  /** `BULKHEAD_PORT=abc` */
  readonly source?: string;
}

/** Collects every problem of one reading, so that all can be told at once. */
export class Problems {
  readonly found: Located[] = [];
  readonly #secrets: ReadonlySet<string>;
  #replicas: RegExp | undefined;

  /** `secrets` may still grow while reading: values that never appear in a message. */
  constructor(secrets: ReadonlySet<string>) {
    this.#secrets = secrets;
  }

  get failed(): boolean {
    return this.found.some(({ severity }) => severity === 'error');
  }

  /** Replicas are read one by one; what is wrong with them is told of the one stanza that is written. */
  speakOfWritten(replicas: Iterable<string>): void {
    const names = [...replicas].join('|');
    if (names !== '') this.#replicas = new RegExp(`(?<=services\\.)(${names})(?![\\w-])`, 'g');
  }

  error(at: Place | Outside, code: string, message: string, details: ProblemDetails = {}): undefined {
    this.#add('error', at, code, message, details);
    return undefined;
  }

  warn(at: Place | Outside, code: string, message: string, details: ProblemDetails = {}): void {
    this.#add('warning', at, code, message, details);
  }

  /** Errors or warnings, in the order of the files and lines; what has no place comes first. */
  sorted(severity: Located['severity']): Located[] {
    return this.found
      .filter((problem) => problem.severity === severity)
      .sort(
        (a, b) =>
          Number(a.line > 0) - Number(b.line > 0) ||
          compare(a.file, b.file) ||
          a.line - b.line ||
          a.column - b.column,
      );
  }

  #add(
    severity: Located['severity'],
    at: Place | Outside,
    code: string,
    message: string,
    details: ProblemDetails,
  ): void {
    const written =
      this.#replicas === undefined
        ? message
        : message.replaceAll(this.#replicas, (name) => name.slice(0, name.lastIndexOf('-')));
    const problem: Located = {
      severity,
      code,
      ...this.#locate(at),
      message: hideSecrets(written, this.#secrets),
      suggestion: details.suggestion,
      note: details.note,
    };
    // The same words on the same spot help nobody twice: an anchor used in two places, an alias, a merged file.
    const known = this.found.some(
      ({ file, line, column, message: other }) =>
        file === problem.file &&
        line === problem.line &&
        column === problem.column &&
        other === problem.message,
    );
    if (!known) this.found.push(problem);
  }

  #locate(at: Place | Outside): Pick<Located, 'file' | 'line' | 'column' | 'length' | 'source'> {
    if ('outside' in at) {
      const source = at.source === undefined ? undefined : hideSecretsOfLine(at.source);
      return { file: at.outside, line: 0, column: 0, length: 0, source };
    }
    const { line, column } = linePosition(at.file, at.start);
    const text = lineText(at.file, line);
    const length = Math.max(1, Math.min(at.end - at.start, text.length - column + 1));
    return { file: at.file.path, line, column, length, source: hideSecretsOfLine(text) };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
