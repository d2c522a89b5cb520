import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const writesLines = join(import.meta.dirname, '../programs/writes-lines.mjs');

test.each([
  ['in large writes', 450_000, 500],
  ['one write per line', 200_000, 1],
])('a flood %s arrives byte for byte, in bounded memory', async (_how, count, perWrite) => {
  const child = startChild([process.execPath, writesLines, String(count), String(perWrite)], {
    unread: true,
  });
  const hash = createHash('sha256');
  let bytes = 0;
  const before = process.memoryUsage.rss();
  let peak = 0;
  await new Promise<void>((resolve) => {
    child.process?.stdout.read((chunk) => {
      bytes += chunk.length;
      hash.update(chunk);
      peak = Math.max(peak, process.memoryUsage.rss());
    }, resolve);
  });
  const wanted = createHash('sha256');
  for (let each = 0; each < count; each += 1)
    wanted.update(`${String(each).padStart(10, '0')} ${'x'.repeat(108)}\n`);
  expect(bytes).toBe(count * 120);
  expect(hash.digest('hex')).toBe(wanted.digest('hex'));
  expect(peak - before).toBeLessThan(40 * 1024 * 1024);
  child.process?.stderr.closeWithin(0);
});

test('a paused pipe makes the kernel stop the writer, and nothing is lost', async () => {
  const child = startChild([process.execPath, writesLines, '100000', '100'], { unread: true });
  const pid = child.process?.pid ?? 0;
  let bytes = 0;
  let seen: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    seen = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    child.process?.stdout.read((chunk) => {
      bytes += chunk.length;
      if (bytes < 1_000_000) return;
      child.process?.stdout.pause();
      seen();
    }, resolve);
  });
  await first;
  await until(() => readFileSync(`/proc/${pid}/wchan`, 'latin1').includes('pipe') || isSleeping(pid));
  const held = bytes;
  await new Promise((resolve) => setImmediate(resolve));
  expect(bytes).toBe(held);
  expect(child.told).not.toContain('exited');
  child.process?.stdout.resume();
  // Pauses again at each chunk from now on.
  const resuming = setInterval(() => child.process?.stdout.resume(), 1);
  await ended;
  clearInterval(resuming);
  expect(bytes).toBe(100_000 * 120);
  child.process?.stderr.closeWithin(0);
});

test('many quiet children are read without a thread or a timer each', async () => {
  const children = Array.from({ length: 30 }, (_, each) =>
    startChild(['sh', '-c', `echo ${each}; read x; sleep 1000`]),
  );
  await Promise.all(children.map((child, each) => child.printed(`${each}\n`)));
  expect(process.getActiveResourcesInfo().filter((name) => name === 'FSReqCallback')).toEqual([]);
});

test('a child that goes from loud to quiet and back is heard throughout', async () => {
  const script =
    'for r in 1 2 3; do i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done; sleep 0.05; done; echo end; sleep 1000';
  const child = startChild(['sh', '-c', script]);
  const text = await child.printed('end\n');
  expect(text.split('\n').filter((line) => line === '299')).toHaveLength(3);
  expect(text.split('\n')).toHaveLength(902);
});

test('what a dead child wrote last is read before its pipe closes', async () => {
  for (let each = 0; each < 10; each += 1) {
    const child = startChild(['sh', '-c', 'echo first; echo last words; kill -9 $$'], { drainMs: 0 });
    expect((await child.output).stdout).toBe('first\nlast words\n');
  }
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function isSleeping(pid: number): boolean {
  return /\) S /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}
