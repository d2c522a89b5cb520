import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderHba, renderIdent, renderSettings } from '../../src/database/render-config.ts';
import { tuneServer } from '../../src/database/tuning.ts';

const GB = 1024 ** 3;
const SMALL = {
  memory: GB / 2,
  memorySource: 'cgroup',
  cpus: 1,
  sharedMemory: 64 * 1024 ** 2,
  freeDisk: 2 * GB,
} as const;

function values(size: Parameters<typeof tuneServer>[0]): Record<string, string> {
  return Object.fromEntries(tuneServer(size).map(({ name, value }) => [name, value]));
}

test('half a gigabyte and a small /dev/shm give a small server without parallel queries', () => {
  expect(values(SMALL)).toMatchObject({
    shared_buffers: '71MB',
    max_wal_size: '256MB',
    max_parallel_workers_per_gather: '0',
    jit: 'off',
  });
});

test('a large machine is used, but not without bounds', () => {
  const size = {
    memory: 256 * GB,
    memorySource: 'machine',
    cpus: 32,
    sharedMemory: 8 * GB,
    freeDisk: 1000 * GB,
  } as const;
  expect(values(size)).toMatchObject({
    shared_buffers: '8192MB',
    work_mem: '65536kB',
    max_wal_size: '4096MB',
  });
});

test('what every connection may take at once fits into the memory there is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 256, max: 512 * 1024 }), (megabytes) => {
      const tuned = values({ ...SMALL, memory: megabytes * 1024 ** 2 });
      const shared = Number.parseInt(tuned.shared_buffers ?? '', 10);
      const work = Number.parseInt(tuned.work_mem ?? '', 10) / 1024;
      expect(shared + Number(tuned.max_connections) * work).toBeLessThanOrEqual(Math.max(megabytes, 256));
    }),
  );
});

test('a setting of the plan comes after the tuned one, and the volume after both', () => {
  const plan = { settings: { jit: 'on', 'my.text': "it's a \\ path" } };
  const text = renderSettings(tuneServer(SMALL), plan, '/data/config/postgresql.d', 17);
  expect(text.indexOf("jit = 'on'")).toBeGreaterThan(text.indexOf("jit = 'off'"));
  expect(text).toContain(String.raw`my.text = 'it''s a \\ path'`);
  expect(text.trimEnd().endsWith("include_dir = '/data/config/postgresql.d'")).toBe(true);
});

test('nobody is trusted, and nothing but the loopback is let in', () => {
  for (const peer of [true, false]) {
    expect(renderHba(peer)).not.toMatch(/trust|md5|password|0\.0\.0\.0|::\/0|samehost/);
    expect(renderHba(peer).includes('peer')).toBe(peer);
  }
  const open = renderHba(true, { name: 'tools', user: 'tools_user' });
  expect(open.startsWith(renderHba(true))).toBe(true);
  expect(open.slice(renderHba(true).length)).toBe('host "tools" "tools_user" all scram-sha-256\n');
  expect(renderIdent('postgres')).toBe('bulkhead "postgres" bulkhead\nbulkhead root bulkhead\n');
});
