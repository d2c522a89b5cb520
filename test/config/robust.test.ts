import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblems } from '../../src/config/format-problems.ts';
import { hideSecretsOfLine } from '../../src/config/secrets.ts';
import { showPlan } from '../../src/config/show-plan.ts';
import { readText } from './reading.ts';

const pieces = fc.constantFrom(
  ...[
    'version: 1',
    'services:',
    'database:',
    'extends: plan.yaml',
    '  app:',
    '    command: [node',
    '    command: x',
    ']',
  ],
  ...[
    '\n',
    '\n',
    '\n',
    '\t',
    ' ',
    '  ',
    '- ',
    ': ',
    '{',
    '}',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '<<: ',
    '!reset ',
    '|',
    '>',
    '---',
  ],
  ...[
    '${',
    '}',
    '$',
    '${A:?b}',
    '${DATABASE_URL}',
    'é',
    '\u0000',
    '\r\n',
    '\uFEFF',
    '    depends_on: [app]',
    '    restart: on-failure:3',
  ],
);

describe('whatever the text', () => {
  test('reading tells problems or gives a plan, and both can be shown', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const text = parts.join('');
        const reading = readText(text, { env: { API_KEY: 'x' } });
        if (reading.plan) showPlan(reading.plan, reading.provenance, { color: false });
        else expect(reading.problems.length).toBeGreaterThan(0);
        const told = [...(reading.problems ?? []), ...reading.warnings];
        formatProblems(told, { color: true });
        const lines = text.replace(/^\uFEFF/, '').split('\n');
        for (const { line, column } of told) {
          expect(line).toBeLessThanOrEqual(lines.length);
          if (line > 0) expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
        }
      }),
      { numRuns: 600 },
    );
  });

  test('random text does not make it throw either', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const reading = readText(text);
        formatProblems([...(reading.problems ?? []), ...reading.warnings], { color: false });
      }),
    );
  });

  test('aliases that multiply each other are stopped', () => {
    const lines = ['version: 1', 'x-0: &x0 [a, a, a, a, a, a, a, a, a, a]'];
    for (let level = 1; level < 9; level += 1) {
      lines.push(`x-${level}: &x${level} [${Array.from({ length: 10 }, () => `*x${level - 1}`).join(', ')}]`);
    }
    expect(readText(`${lines.join('\n')}\n`).problems?.map(({ code }) => code)).toContain('too-large');
  });
});

describe('hideSecretsOfLine', () => {
  test.each([
    ['      API_KEY: abc def', '      API_KEY: *** ***'],
    ['      - API_KEY=abc#d', '      - API_KEY=*****'],
    ['{ API_KEY: "a", B: c }', '{ API_KEY: ***, B: c }'],
    ['{ A_TOKEN: a, B_TOKEN: c, D: e }', '{ A_TOKEN: *, B_TOKEN: *, D: e }'],
    ['API_KEY:abc', 'API_KEY:***'],
    ['API_KEY: ${API_KEY}', 'API_KEY: ${API_KEY}'],
    ['url: postgres://me:pw@host/x', 'url: postgres://me:**@host/x'],
    ['PLAIN: value', 'PLAIN: value'],
    ['API_KEY_FILE: /run/x', 'API_KEY_FILE: /run/x'],
  ])('%s', (line, hidden) => {
    expect(hideSecretsOfLine(line)).toBe(hidden);
  });

  test('never moves a column', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        const line = `API_KEY: ${text}`;
        expect(hideSecretsOfLine(line).length).toBe(line.length);
      }),
    );
  });
});
