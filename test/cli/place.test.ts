import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findPlace } from '../../src/cli/place.ts';
import { socketCandidates } from '../../src/protocol/socket-path.ts';
import { type as typed } from '../support/command-line.ts';
import { fakeTarget, openControl } from '../support/control-target.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bh-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const where = { env: {}, cwd: '/', uid: 1000, data: undefined, socket: undefined };

describe('the socket', () => {
  test('is tried under /run, beside the data and under /tmp', () => {
    expect(socketCandidates('/data/', 10001)).toEqual([
      '/run/bulkhead/control.sock',
      '/data/bulkhead/control.sock',
      expect.stringMatching(/^\/tmp\/bulkhead-10001-[0-9a-f]{8}\.sock$/),
    ]);
    expect(socketCandidates('/data', 10001)).toEqual(socketCandidates('/data/', 10001));
  });

  test('has no path that a unix socket could not have', () => {
    expect(socketCandidates(`/${'d'.repeat(90)}`, 0).every((path) => Buffer.byteLength(path) <= 107)).toBe(
      true,
    );
    expect(socketCandidates(`/${'d'.repeat(90)}`, 0)).toHaveLength(2);
  });

  test('is the one that was named, and no other', () => {
    expect(findPlace({ ...where, cwd: '/home', socket: 'x.sock' })).toEqual({
      paths: ['/home/x.sock'],
      volumes: [],
    });
  });
});

describe('the volume that is meant', () => {
  test('is --data, else BULKHEAD_DATA, else what npm start left here, else none in particular', () => {
    mkdirSync(join(folder, '.data', 'bulkhead'), { recursive: true });
    const env = { BULKHEAD_DATA: '/variable' };
    expect(findPlace({ ...where, env, data: '/flag' }).volumes).toEqual(['/flag']);
    expect(findPlace({ ...where, env }).volumes).toEqual(['/variable']);
    expect(findPlace({ ...where, cwd: folder }).volumes).toEqual([join(folder, '.data')]);
    expect(findPlace(where).volumes).toEqual([]);
  });

  test('is known by its real path too', () => {
    symlinkSync('/usr', join(folder, 'link'));
    expect(findPlace({ ...where, data: join(folder, 'link') }).volumes).toEqual([
      join(folder, 'link'),
      '/usr',
    ]);
  });

  test('is served by the supervisor beside it, though another answers', async () => {
    const data = join(folder, 'data');
    const target = fakeTarget({ dataDir: '/other' });
    mkdirSync(join(data, 'bulkhead'), { recursive: true });
    await using other = await openControl(target);
    symlinkSync(other.path, join(data, 'bulkhead', 'control.sock'));
    const { code, err } = await typed(['stop', 'app', '--data', data]);
    expect(code).toBe(7);
    expect(err).toContain(`nothing runs on ${data}`);
    expect(err).toContain(`bulkhead up --data ${data}`);
    const exec = await typed(['exec', 'app', '--data', data, 'true'], { stdin: 'x'.repeat(1e6) });
    expect(exec).toEqual({ code, out: '', err });
    expect(target.asked).toEqual([]);
  });

  test('under /tmp is believed only of people we trust', () => {
    const [, , tmp = ''] = socketCandidates('/data', 4242);
    expect(findPlace({ ...where, uid: 4242, data: '/data' }).paths).not.toContain(tmp);
  });
});
