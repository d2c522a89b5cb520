import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblems, problemsToJson } from '../../src/config/format-problems.ts';
import { readFrom, readText, spotsOf } from './reading.ts';

const folder = join(import.meta.dirname, 'broken');
const files = readdirSync(folder).sort();

/** What the files about variables need; harmless to the others. */
const env = {
  TWICE_PASSWORD: 'hunter2hunter2',
  TWICE_PASSWORD_FILE: '/run/secrets/twice',
  MISSING_SECRET_FILE: '/run/secrets/none',
  EMPTY_TOKEN_FILE: '/run/secrets/empty',
  LEAKY_PASSWORD: 'correct horse',
};

describe('a broken configuration is refused with every problem at its place', () => {
  test('there are at least 25 of them', () => {
    expect(files.length).toBeGreaterThanOrEqual(25);
  });

  test.each(files)('%s', (file) => {
    const reading = readFrom(join(folder, file), { env, files: { '/run/secrets/empty': '\n' }, root: true });
    expect(reading.plan).toBeUndefined();
    const told = formatProblems([...(reading.problems ?? []), ...reading.warnings], { color: false });
    expect(told.replaceAll(folder, '/etc/bulkhead')).toMatchSnapshot();
  });

  test.each(files)('%s points at characters that are there', (file) => {
    const { problems = [] } = readFrom(join(folder, file), { env });
    for (const { column, length, source } of problems.filter((problem) => problem.line > 0)) {
      expect(source?.length).toBeGreaterThanOrEqual(column - 1 + length - 1);
      expect(column).toBeGreaterThan(0);
    }
  });
});

describe('places', () => {
  test('a wrong value is marked at the value, an unknown key at the key', () => {
    const reading = readText(
      'version: 1\nservices:\n  web:\n    command: x\n    restart: allways\n    comand: y\n',
    );
    expect(spotsOf(reading)).toEqual(['wrong-value@5:14', 'unknown-key@6:5']);
    expect(reading.problems?.map(({ length }) => length)).toEqual([7, 6]);
  });

  test('a variable is marked inside its value, quoted or not', () => {
    const text = 'version: 1\nservices:\n  a: { command: [x, "in ${A:?} it"], user: "u${B:?}v" }\n';
    expect(spotsOf(readText(text))).toEqual(['variable-required@3:25', 'variable-required@3:46']);
  });

  test('columns count characters behind a byte order mark and in Windows line ends', () => {
    const reading = readText('\uFEFFversion: 1\r\nservices:\r\n  a:\r\n    command: x\r\n    nize: 3\r\n');
    expect(spotsOf(reading)).toEqual(['unknown-key@5:5']);
    expect(reading.problems?.[0]?.source).toBe('    nize: 3');
  });

  test('a problem of a base file is told in the base file', () => {
    const reading = readText('version: 1\nextends: base.yaml\n', {
      files: { '/base.yaml': 'version: 1\nservices:\n  a: { command: x, nice: 99 }\n' },
    });
    expect(reading.problems?.map(({ file, line, column }) => `${file}:${line}:${column}`)).toEqual([
      '/base.yaml:3:26',
    ]);
  });

  test('problems of several lines come in the order of the lines', () => {
    const text =
      'version: 1\nservices:\n  b: { command: x, depends_on: [zz] }\n  a: { command: x, nice: 99 }\n';
    expect(spotsOf(readText(text))).toEqual(['dependency-missing@3:33', 'wrong-value@4:26']);
  });
});

describe('formatProblems', () => {
  const { problems = [] } = readText('version: 1\nservices:\n  web: { command: x, restart: allways }\n');

  test('colours on request and says the same', () => {
    const colored = formatProblems(problems, { color: true });
    expect(colored).toContain('\u001b[1;31merror');
    //
    expect(colored.replaceAll(/\u001b\[[\d;]*m/g, '')).toBe(formatProblems(problems, { color: false }));
  });

  test('counts what it does not spell out', () => {
    const many = Array.from({ length: 25 }, () => problems).flat();
    expect(formatProblems(many, { color: false })).toContain('25 errors, 5 of them not shown');
  });

  test('has nothing to say about nothing', () => {
    expect(formatProblems([], { color: false })).toBe('');
  });

  test('programs get one object per problem', () => {
    expect(problemsToJson(problems)).toEqual([
      {
        severity: 'error',
        code: 'wrong-value',
        file: '/plan.yaml',
        line: 3,
        column: 31,
        length: 7,
        source: '  web: { command: x, restart: allways }',
        message:
          'services.web.restart must be no, always, on-failure, on-failure:COUNT or unless-stopped, not "allways"',
        suggestion: 'write always',
        note: null,
      },
    ]);
  });

  test('a line of thousands of characters is cut around the mark', () => {
    const long = `version: 1\nservices: { a: { command: [${'x, '.repeat(2000)}y], nize: 1 } }\n`;
    const told = formatProblems(readText(long).problems ?? [], { color: false });
    const [, , , line = '', caret = ''] = told.split('\n');
    expect(line.length).toBeLessThan(130);
    expect(line.slice(caret.indexOf('^'), caret.indexOf('^') + 4)).toBe('nize');
  });
});
