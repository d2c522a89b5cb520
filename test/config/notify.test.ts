import { expect, test } from 'vitest';
import { runLines } from '../../src/config/plan-lines.ts';
import { readText, runOf, serviceOf, spotsOf } from './reading.ts';

function read(words: string) {
  return readText(`version: 1\nservices:\n  a: { command: x, ${words} }\n`);
}

test('readiness by sd_notify and its watchdog', () => {
  const reading = read('ready: { notify: true }, watchdog: 30s');
  expect(serviceOf(reading, 'a')).toMatchObject({ ready: { kind: 'notify' }, watchdog: 30_000 });
  expect(runLines(runOf(reading, 'a'))).toEqual(
    expect.arrayContaining([
      { path: 'ready', value: 'notify' },
      { path: 'watchdog', value: '30s' },
    ]),
  );
});

test("readiness by Node's own channel, in one word too", () => {
  for (const words of ['ready: { ipc: true }', 'ready: ipc']) {
    const reading = read(words);
    expect(serviceOf(reading, 'a').ready).toEqual({ kind: 'ipc' });
    expect(runLines(runOf(reading, 'a'))).toContainEqual({ path: 'ready', value: 'ipc' });
  }
  expect(serviceOf(read('ready: notify'), 'a').ready).toEqual({ kind: 'notify' });
  expect(serviceOf(read('ready: { ipc: false }'), 'a').ready).toBeUndefined();
});

test('a watchdog of 0, or notify: false, is none', () => {
  const service = serviceOf(read('ready: { notify: false }, watchdog: 0'), 'a');
  expect([service.ready, service.watchdog]).toEqual([undefined, undefined]);
});

test.each([
  ['ready: { notify: true, fd: 3 }', 'two-probes'],
  ['ready: { ipc: true, fd: 3 }', 'two-probes'],
  ['ready: { sd_notify: true }', 'unknown-key'],
  ['ready: { wait_ready: true }', 'unknown-key'],
  ['ready: fd', 'wrong-value'],
  ['ready: {}', 'missing-word'],
  ['type: task, watchdog: 3s', 'not-of-a-task'],
])('%s is refused', (words, code) => {
  expect(spotsOf(read(words))[0]).toContain(code);
});

test('a limit of memory is ours or that of Compose', () => {
  expect(serviceOf(read('memory_restart: 512m'), 'a').memoryRestart).toBe(512 * 1024 ** 2);
  const reading = read('deploy: { resources: { limits: { memory: 1.5gb, cpus: "0.5" } } }');
  expect(serviceOf(reading, 'a')).toMatchObject({ memoryLimit: 1.5 * 1024 ** 3, memoryRestart: undefined });
  expect(reading.warnings).toMatchObject([{ code: 'idle-word' }]);
  expect(serviceOf(read('memory_restart: 1048576'), 'a').memoryRestart).toBe(1024 ** 2);
  expect(spotsOf(read('memory_restart: much'))).toHaveLength(1);
});
