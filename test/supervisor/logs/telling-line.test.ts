import { describe, expect, test } from 'vitest';
import { tellingLine } from '../../../src/supervisor/logs/telling-line.ts';

describe('the most telling of the last lines', () => {
  test('is the error, not what Node writes below it', () => {
    const crash = [
      'node:internal/modules/cjs/loader:1424',
      '  throw err;',
      '  ^',
      '',
      "Error: Cannot find module '/app/server.js'",
      '    at Module._resolveFilename (node:internal/modules/cjs/loader:1421:15) {',
      "  code: 'MODULE_NOT_FOUND',",
      '  requireStack: []',
      '}',
      '',
      'Node.js v24.21.0',
    ];
    expect(tellingLine(crash)).toBe("Error: Cannot find module '/app/server.js'");
  });

  test.each([
    [
      ['ready', 'TypeError: x is not a function', '    at Error.y (z.js:1:1)', '}'],
      'TypeError: x is not a function',
    ],
    [['FATAL:  could not open file', 'bye'], 'FATAL:  could not open file'],
    [['Error: first', 'Error: second'], 'Error: second'],
    [['one', 'two', '', ' } ', 'Node.js v22.1.0'], 'two'],
    [['terrors of the deep', 'end'], 'end'],
    [['', '{', '}'], undefined],
    [[], undefined],
  ])('of %j is %j', (lines, telling) => {
    expect(tellingLine(lines)).toBe(telling);
  });
});
