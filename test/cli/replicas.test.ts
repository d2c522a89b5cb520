import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReloadChange } from '../../src/protocol/control.ts';
import { type } from '../support/command-line.ts';
import { type FakeTarget, fakeTarget, type OpenedControl, openControl } from '../support/control-target.ts';
import { exampleService } from '../support/product.ts';

let target: FakeTarget;
let control: OpenedControl;
let scaled: readonly ReloadChange[];

beforeEach(async () => {
  scaled = [];
  target = fakeTarget({ scale: async () => scaled });
  target.setProduct({
    ...target.product(),
    services: [
      exampleService('web-1', { replicaOf: 'web' }),
      exampleService('web-2', { replicaOf: 'web' }),
      exampleService('app'),
    ],
  });
  control = await openControl(target);
});
afterEach(() => control[Symbol.asyncDispose]());

function typed(line: string) {
  return type([...line.split(' '), '--socket', control.path]);
}

describe('scale', () => {
  test('says which came and which went', async () => {
    scaled = [
      { service: 'web-2', action: 'start', reason: '' },
      { service: 'web-3', action: 'stop', reason: '' },
    ];
    target.setProduct({
      ...target.product(),
      services: [
        ...target.product().services,
        exampleService('web-3', { status: 'stopped', pid: undefined }),
      ],
    });
    const { code, out } = await typed('scale web=2');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^started web-2 \(ready, pid 100, \d+ ms\)\. Watch it: bulkhead logs -f web-2\nstopped web-3 \(.*\)\.\n$/,
    );
  });

  test('says when there is nothing to do', async () => {
    expect(await typed('scale web=2')).toEqual({
      code: 0,
      out: 'web has 2 already: nothing to do.\n',
      err: '',
    });
    expect(JSON.parse((await typed('scale web=2 --json')).out)).toEqual({
      schemaVersion: 1,
      changes: [],
      exitCode: 0,
    });
  });

  test.each(['web', 'web=', 'web=x', '=3', 'web=1001', 'web=-1'])('%s is no size', async (word) => {
    const { code, err } = await typed(`scale ${word}`);
    expect({ code, err }).toEqual({
      code: 2,
      err: `error: cannot run scale: "${word}" is no SERVICE=COUNT\nfix: write it like web=3\n`,
    });
  });
});

describe('one name for all replicas', () => {
  test('is understood by status and wait', async () => {
    const { code, out } = await typed('status web --json');
    expect(code).toBe(0);
    expect(JSON.parse(out).services.map(({ name }: { name: string }) => name)).toEqual(['web-1', 'web-2']);
    expect((await typed('wait web --timeout 5s')).code).toBe(0);
    target.set('web-2', { status: 'starting' });
    expect((await typed('wait web --timeout 20ms')).code).toBe(124);
  });

  test('is understood by logs', async () => {
    const line = { time: '2026-01-01T00:00:00.000Z', stream: 'stdout' } as const;
    target.write({ ...line, service: 'web-2', line: 'two' });
    target.write({ ...line, service: 'app', line: 'other' });
    expect((await typed('logs web')).out).toBe('web-2 | two\n');
  });
});

describe('restart --rolling', () => {
  test('says whom it left alone', async () => {
    target.onAsked = () =>
      target.set('web-1', { status: 'backoff', generation: 2, reason: 'crashed (exit 1)' });
    const { code, out } = await typed('restart --rolling web');
    expect(code).toBe(1);
    expect(out).toMatch(
      /^web-1 did not become ready: backoff .*\nweb-2 was left as it was: the rolling restart ended before its turn\.\n$/,
    );
  });

  test('has to wait', async () => {
    const { code, err } = await typed('restart --rolling --no-wait web');
    expect(code).toBe(2);
    expect(err).toContain('fix: drop --no-wait');
    expect(target.asked).toEqual([]);
  });
});
