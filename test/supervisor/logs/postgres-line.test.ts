import { expect, it } from 'vitest';
import { openFixture, settle } from './fakes.ts';

it.each([
  ['[12] LOG:  database system is ready', { level: 30, pid: 12, msg: 'database system is ready' }],
  [
    '[34] app@shop ERROR:  relation "x" does not exist at character 15',
    { level: 50, pid: 34, user: 'app', database: 'shop', msg: 'relation "x" does not exist at character 15' },
  ],
  ['[34] app@shop STATEMENT:  select * from x', { part: 'statement', msg: 'select * from x' }],
  ['[1] FATAL:  terminating', { level: 60, msg: 'terminating' }],
  ['[1] DEBUG2:  found', { level: 20, msg: 'found' }],
  ['\tcontinued', { level: 30, msg: '\tcontinued' }],
  ['[not] LOG:  of PostgreSQL', { level: 30, msg: '[not] LOG:  of PostgreSQL' }],
])('the database’s line %j becomes a record', async (line, expected) => {
  for (const more of ['', 'x\n'.repeat(2000)]) {
    const { attach, output, file } = openFixture({ format: 'json' });
    attach('database').stderr.send(`${line}\n${more}`);
    await settle();
    expect(JSON.parse(output.lines[0] ?? '')).toMatchObject({ ...expected, service: 'database' });
    expect(file('database').lines[0]).toContain(line);
  }
});

it('for people the database’s lines stay as they are', async () => {
  const { attach, output } = openFixture();
  attach('database').stderr.send('[12] LOG:  ready\n');
  await settle();
  expect(output.lines[0]).toMatch(/\| \[12\] LOG: {2}ready$/);
});
