import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SplitEnd, type SqlPiece, SqlSplitter } from '../../src/dumps/sql-splitter.ts';

interface Split {
  readonly pieces: readonly string[];
  readonly end: SplitEnd;
  readonly rows: number;
}

/** Pieces as text, data of one block in one. */
function split(text: string | Buffer, chunkSizes: readonly number[] = []): Split {
  const bytes = Buffer.from(text);
  const splitter = new SqlSplitter();
  const pieces: string[] = [];
  let rows = 0;
  let data: string | undefined;
  const take = (piece: SqlPiece): void => {
    if (piece.kind === 'data') {
      data = (data ?? '') + piece.bytes.toString('latin1');
      rows += piece.rows;
      return;
    }
    if (data !== undefined) pieces.push(`data: ${data}`);
    data = undefined;
    if (piece.kind === 'statement') pieces.push(piece.bytes.toString('latin1'));
    if (piece.kind === 'command') pieces.push(`command: ${piece.text}`);
  };
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = chunkSizes.length === 0 ? bytes.length : (chunkSizes[index % chunkSizes.length] ?? 1);
    // A copy, so that a piece that is used too late would show.
    for (const piece of splitter.push(Buffer.from(bytes.subarray(at, at + size)))) take(piece);
    at += size;
  }
  const rest = splitter.end();
  let step = rest.next();
  while (!step.done) {
    take(step.value);
    step = rest.next();
  }
  if (data !== undefined) pieces.push(`data: ${data}`);
  return { pieces, end: step.value, rows };
}

describe('a semicolon does not end a statement', () => {
  test.each([
    ['in a string', `SELECT 'a;b''c;';`],
    ['in a string after a backslash, which is a letter there', `SELECT 'a\\', ';';`],
    ['in an escape string', `SELECT E'a\\';b';`],
    ['in a quoted name', `SELECT 1 AS "a;""b;";`],
    ['in a dollar quote', `SELECT $$a;'b$$;`],
    ['in a tagged dollar quote with another inside', `SELECT $fn$ a; $x$ ; $x$ $ ; $fn$;`],
    ['in a block comment, nested', `SELECT /* a; /* b; */ c; */ 1;`],
    ['in a line comment', `SELECT 1 -- no; not here\n;`],
    [
      'in parentheses, as in the actions of a rule',
      `CREATE RULE r AS ON DELETE TO t DO ALSO (DELETE FROM a; DELETE FROM b;);`,
    ],
    [
      'in an SQL-standard function body with a CASE',
      `CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;`,
    ],
    ['in a procedure body', `CREATE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END;`],
  ])('%s', (_, statement) => {
    expect(split(`${statement}SELECT 2;`)).toEqual({
      pieces: [statement, 'SELECT 2;'],
      end: 'between',
      rows: 0,
    });
  });

  test('in a string with a backslash while standard_conforming_strings is off', () => {
    const statement = `SELECT 'a\\';b';`;
    expect(split(`SET standard_conforming_strings = off;${statement}`).pieces[1]).toBe(statement);
    expect(
      split(`SET standard_conforming_strings = off;SET standard_conforming_strings = on;SELECT '\\';`).end,
    ).toBe('between');
  });
});

describe('a semicolon ends a statement', () => {
  test.each([
    ['after a dollar parameter', 'SELECT $1;'],
    ['after a name with a dollar sign', 'SELECT a$b$c;'],
    ['after the word begin outside of a function', 'BEGIN;'],
    ['after an operator that begins like a comment', 'SELECT 4 - -1 / 2;'],
    ['after a string that follows the letter of a name', `SELECT name'';`],
  ])('%s', (_, statement) => {
    expect(split(`${statement}\nSELECT 2;`).pieces).toEqual([statement, 'SELECT 2;']);
  });
});

describe('COPY', () => {
  const copy = 'COPY public.t (a, "from") FROM stdin;';

  test('takes lines until the terminator and counts them', () => {
    const found = split(`${copy}\n1\ta\n2\t\\.x;\n\\.\n\nSELECT 1;\n`);
    expect(found).toEqual({ pieces: [copy, 'data: 1\ta\n2\t\\.x;\n', 'SELECT 1;'], end: 'between', rows: 2 });
  });

  test('may have no rows', () => {
    expect(split(`${copy}\n\\.\nSELECT 1;`).pieces).toEqual([copy, 'SELECT 1;']);
  });

  test('takes lines that end as on Windows', () => {
    expect(split(`${copy}\r\n1\r\n\\.\r\nSELECT 1;`).pieces).toEqual([copy, 'data: 1\r\n', 'SELECT 1;']);
  });

  test('to stdout, or from a file, has no data', () => {
    const text = `COPY t TO stdout;COPY t FROM '/tmp/from stdin';COPY (SELECT 1 FROM stdin) TO STDOUT;SELECT 1;`;
    expect(split(text).pieces).toHaveLength(4);
  });

  test('without its terminator is told apart', () => {
    expect(split(`${copy}\n1\ta\n`).end).toBe('data');
    expect(split(`${copy}`).end).toBe('data');
  });
});

test.each([
  ['SELECT 1', 'statement'],
  [`SELECT 'a`, 'quoted'],
  ['SELECT $a$ b', 'quoted'],
  ['/* never closed', 'quoted'],
  ['-- only a comment', 'between'],
] as const)('the end of %j is told as %s', (text, end) => {
  expect(split(text).end).toBe(end);
});

test('a backslash command is told with its line', () => {
  expect(split(`SELECT 1;\n\\restrict abc\nSELECT 2;\n\\! touch x`).pieces).toEqual([
    'SELECT 1;',
    'command: \\restrict abc',
    'SELECT 2;',
    'command: \\! touch x',
  ]);
});

test('bytes that are no UTF-8 pass unchanged', () => {
  const text = Buffer.from(`INSERT INTO t VALUES ('\xe4\xff;');`, 'latin1');
  expect(Buffer.from(split(text).pieces[0] ?? '', 'latin1')).toEqual(text);
});

test('the same pieces come out however the text is cut into chunks', () => {
  const word = fc.constantFrom('SELECT', 'a', '1', 'E', '$', '$1', '-', '/', '*', '(1, 2)', 'x$y');
  const inner = fc.stringMatching(/^[a-z;'"$\\/*\- \n]{0,12}$/);
  const token = fc.oneof(
    word,
    inner.map((text) => `'${text.replaceAll("'", "''")}'`),
    inner.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
    inner.map((text) => `"${text.replaceAll('"', '""')}"`),
    inner.map((text) => `$q$${text.replaceAll('$', '')}$q$`),
    inner.map((text) => `/*${text.replaceAll(/[/*]/g, '')}*/`),
    inner.map((text) => `--${text.replaceAll('\n', '')}\n`),
  );
  const statement = fc
    .array(token, { minLength: 1, maxLength: 8 })
    .map((tokens) => `SELECT ${tokens.join(' ')};`);
  const rows = fc.array(fc.stringMatching(/^[a-z;'"$ \t]{0,9}$/), { maxLength: 5 });
  const copy = rows.map((lines) => `COPY t FROM stdin;\n${lines.map((line) => `${line}\n`).join('')}\\.\n`);
  const piece = fc.oneof({ weight: 3, arbitrary: statement }, { weight: 1, arbitrary: copy });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      (parts, sizes) => {
        const text = parts.join('\n');
        const whole = split(text);
        expect(split(text, sizes)).toEqual(whole);
        expect(whole.end).toBe('between');
        expect(whole.pieces.filter((each) => !each.startsWith('data: '))).toHaveLength(parts.length);
      },
    ),
    { numRuns: 500 },
  );
});

test('the last statement is told though its semicolon is missing', () => {
  expect(split('SELECT 1;\nSELECT 2\n').pieces).toEqual(['SELECT 1;', 'SELECT 2\n']);
});
