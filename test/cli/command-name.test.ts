import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { commandName, localAdvice } from '../../src/cli/command-name.ts';
import { type } from '../support/command-line.ts';

describe('the name of the command', () => {
  test('is what npm finds beside a checkout, unless it was given or no npm is near', () => {
    expect(commandName({})).toBe('bulkhead');
    expect(commandName({ npm_execpath: '/usr/lib/npm-cli.js' })).toBe('npx bulkhead');
    expect(commandName({ npm_execpath: '/usr/lib/npm-cli.js', BULKHEAD_COMMAND: 'bh' })).toBe('bh');
  });

  test('stands in advice wherever a command does, and nowhere else', () => {
    const env = { BULKHEAD_COMMAND: 'npx bulkhead' };
    expect(localAdvice('see: bulkhead logs, bulkhead --help', env)).toBe(
      'see: npx bulkhead logs, npx bulkhead --help',
    );
    for (const text of ['docker run bulkhead', '/run/bulkhead is closed', 'npm:bulkhead-data x'])
      expect(localAdvice(text, env)).toBe(text);
    expect(localAdvice('see: bulkhead logs', {})).toBe('see: bulkhead logs');
    const inside = 'docker exec -it CONTAINER bulkhead db psql';
    expect(localAdvice(inside, { BULKHEAD_COMMAND: 'npx bulkhead' })).toBe(inside);
    expect(localAdvice(localAdvice('see: bulkhead logs', env), env)).toBe('see: npx bulkhead logs');
  });

  test('to start is said as a checkout starts', () => {
    const env = { BULKHEAD_COMMAND: 'npx bulkhead' };
    expect(localAdvice('restored. Start: bulkhead up', env)).toBe('restored. Start: npm start');
    expect(localAdvice('start it: bulkhead up --data /tmp/my.data. If it runs', env)).toBe(
      'start it: BULKHEAD_DATA=/tmp/my.data npm start. If it runs',
    );
    expect(localAdvice('see: bulkhead up --help', env)).toBe('see: npx bulkhead up --help');
    expect(localAdvice('Start: bulkhead up', { BULKHEAD_COMMAND: 'bh' })).toBe('Start: bh up');
  });

  test('is the one of every fix', async () => {
    const { err } = await type(['statsu'], { env: { BULKHEAD_COMMAND: 'npx bulkhead' } });
    expect(err).toContain('did you mean: npx bulkhead status');
  });
});

test.runIf(isOld('/usr/bin/node'))('an old Node is told that it is too old', () => {
  let said = '';
  try {
    execFileSync('/usr/bin/node', [new URL('../../dist/main.js', import.meta.url).pathname, 'status'], {
      stdio: 'pipe',
    });
  } catch (error) {
    said = String((error as { stderr: unknown }).stderr);
  }
  expect(said).toMatch(/^error: cannot run on Node .*: it is too old/);
  expect(said).toContain('npx bulkhead');
});

function isOld(node: string): boolean {
  try {
    const version = execFileSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    return Number.parseInt(version, 10) < 22;
  } catch {
    return false;
  }
}
