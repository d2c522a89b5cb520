import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutFor, renderTable } from '../../src/cli/table.ts';
import { createPaint, cutText, tameLine, widthOf, wrapText } from '../../src/cli/terminal.ts';

const plain = createPaint(false);

describe('a table', () => {
  const columns = [
    { title: 'NAME', cell: (row: string[]) => ({ text: row[0] ?? '' }) },
    { title: 'N', align: 'right', from: 'medium', cell: (row: string[]) => ({ text: row[1] ?? '' }) },
    { title: 'WHY', flexible: true, cell: (row: string[]) => ({ text: row[2] ?? '' }) },
  ] as const;

  test('has three layouts, and everything in a pipe', () => {
    expect([60, 79, 80, 119, 120, undefined].map(layoutFor)).toEqual([
      'narrow',
      'narrow',
      'medium',
      'medium',
      'wide',
      'wide',
    ]);
  });

  test('lines up wide characters', () => {
    expect(
      renderTable(
        columns,
        [
          ['数据库', '1', 'x'],
          ['app', '22', 'y'],
        ],
        80,
        plain,
      ),
    ).toEqual(['NAME     N  WHY', '数据库   1  x', 'app     22  y']);
  });

  test('leaves out the flexible column where nothing of it could be read', () => {
    expect(renderTable(columns, [['a'.repeat(30), '1', 'because of this']], 40, plain)).toEqual([
      'NAME',
      'a'.repeat(30),
    ]);
  });

  test('never exceeds the width with its flexible column, whatever is in it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 200 }), fc.string({ unit: 'grapheme' }), (width, text) => {
        const lines = renderTable(columns, [['name', '1', tameLine(text)]], width, plain);
        return lines.every((line) => widthOf(line) <= width);
      }),
    );
  });
});

describe('a line of a service', () => {
  test('keeps its text and loses what a terminal would obey', () => {
    expect(tameLine('\x1b[1;31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 a\tb\r\x1b[2K\x1bc')).toBe(
      'red link a\tb',
    );
  });

  test('keeps colours alone where they are wanted, and ends them', () => {
    expect(tameLine('\x1b[31mred \x1b[2Jx', true)).toBe('\x1b[31mred x\x1b[0m');
  });

  test('holds no control character afterwards, whatever it held', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('\x1b', '[', ']', '\x07', '\x9b', 'm', '1', ';', 'a', '\n', '\0'),
        }),
        (text) => {
          return !/[\x00-\x08\x0a-\x1f\x7f-\x9f]/.test(tameLine(text));
        },
      ),
    );
  });
});

describe('a text', () => {
  test('is cut with an ellipsis, wide characters included', () => {
    expect(cutText('hello world', 8)).toBe('hello w…');
    expect(cutText('数据库', 5)).toBe('数据…');
    expect(cutText('fits', 4)).toBe('fits');
  });

  test('is wrapped at blanks and loses no word that fits', () => {
    expect(wrapText('one two three', 8)).toEqual(['one two', 'three']);
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 }),
        fc.integer({ min: 10, max: 40 }),
        (words, width) => {
          const lines = wrapText(words.join(' '), width);
          return lines.join(' ') === words.join(' ') && lines.every(({ length }) => length <= width);
        },
      ),
    );
  });
});
