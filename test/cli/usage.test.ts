import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/catalogue.ts';
import { UpExit } from '../../src/protocol/exit-codes.ts';
import { type } from '../support/command-line.ts';

describe('a wrong command line', () => {
  test.each([
    ['statsu', 'cannot run "statsu": no such command', 'did you mean: bulkhead status'],
    ['ps', 'cannot run "ps": no such command', 'did you mean: bulkhead status'],
    ['xyzzy', 'cannot run "xyzzy": no such command', 'see all commands: bulkhead help'],
    ['config chek', 'cannot run "config chek": no such command', 'did you mean: bulkhead config check'],
    ['logs --folow', 'cannot run logs: unknown option --folow', 'did you mean --follow?'],
    ['logs -x', 'cannot run logs: unknown option -x', 'see: bulkhead logs --help'],
    ['logs --follow=yes', 'cannot run logs: --follow takes no value', 'see: bulkhead logs --help'],
    ['logs --tail --follow', 'cannot run logs: --tail needs a value', 'write --tail LINES'],
    ['stop', 'cannot run stop: an argument is missing', 'write: bulkhead stop SERVICE…'],
    [
      'stop app --timeout soon',
      'cannot run stop: --timeout must be a duration, not "soon"',
      'write it like 30s, 5m or 1h30m',
    ],
    [
      'up status',
      'cannot run up: unexpected argument "status", a command of its own',
      'run it beside the running one: docker exec CONTAINER bulkhead status',
    ],
    ['version now', 'cannot run version: unexpected argument "now"', 'write: bulkhead version'],
    ['wait --for love', 'cannot run wait: --for must be ready or live, not "love"', 'did you mean live?'],
  ])('%s ends 2 with the fix', async (line, message, remedy) => {
    const { code, out, err } = await type(line.split(' '));
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: `error: ${message}\nfix: ${remedy}\n` });
  });

  test('is told as JSON where JSON was asked for', async () => {
    const { code, out, err } = await type(['statsu', '--json']);
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(JSON.parse(out).error).toMatchObject({
      code: 'usage',
      exitCode: 2,
      remedy: 'did you mean: bulkhead status',
    });
  });
});

describe('help', () => {
  test('lists every command and every exit code', async () => {
    const { code, out } = await type(['help']);
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS)
      expect(out).toContain(`${name} `.padEnd(name.length + 1) && summary);
    expect(out).toMatchSnapshot();
  });

  test.each([[[]], [['--help']], [['-h']]])('is what %j means', async (argv) => {
    expect(await type(argv)).toEqual(await type(['help']));
  });

  test.each(COMMANDS.map(({ name }) => name))('of %s stands behind --help and help', async (name) => {
    const { code, out } = await type([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toMatchSnapshot();
    expect(await type(['help', ...name.split(' ')])).toEqual({ code, out, err: '' });
  });

  test('of a group lists its commands', async () => {
    const { out } = await type(['config']);
    expect(out).toContain('config check');
    expect(out).not.toContain('db status');
  });

  test('of up explains every exit code it has', async () => {
    const { out } = await type(['up', '--help']);
    for (const code of Object.values(UpExit)) expect(out).toMatch(new RegExp(`^ +${code} `, 'm'));
  });
});

describe('up', () => {
  test('hands its flags to the door and ends as it does', async () => {
    const seen: unknown[] = [];
    const up = async ({ tier, config, data }: { tier: unknown; config: unknown; data: unknown }) => {
      seen.push({ tier, config, data });
      return 12;
    };
    const { code } = await type(['--data', './x', 'up', '--tier', 'full'], { doors: { up } });
    expect(code).toBe(12);
    expect(seen).toEqual([{ tier: 'full', config: undefined, data: './x' }]);
  });
});

describe('version', () => {
  test('is what --version means', async () => {
    const { code, out } = await type(['--version']);
    expect(code).toBe(0);
    expect(out).toMatch(/^bulkhead \S+ \(node \S+\)\n$/);
    expect((await type(['version'])).out).toBe(out);
  });
});
