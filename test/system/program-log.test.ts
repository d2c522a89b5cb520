import { expect, it } from 'vitest';
import { readStructured } from '../../src/protocol/structured.ts';
import { openProgramLog } from '../../src/system/program-log.ts';

it('a line of a child program is a record that PID 1 takes apart again', () => {
  const lines: string[] = [];
  const log = openProgramLog({ write: (line) => lines.push(line) });
  log.info('importing tools.sql');
  log.warn('no "trailer"');
  log.error('broken\nline');
  expect(lines.map((line) => readStructured(line))).toMatchObject([
    { level: 30, msg: 'importing tools.sql', rest: {} },
    { level: 40, msg: 'no "trailer"' },
    { level: 50, msg: 'broken\nline' },
  ]);
  expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
});
