import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinLogs } from '../../src/cli/join-logs.ts';
import type { LogLine } from '../../src/protocol/control.ts';

const line = (service: string, ms: number, text: string): LogLine => ({
  time: new Date(ms).toISOString(),
  service,
  stream: 'stdout',
  line: text,
});

async function* stream(lines: readonly LogLine[]): AsyncGenerator<LogLine> {
  yield* lines;
}

async function join(kept: readonly LogLine[], live: readonly LogLine[]): Promise<LogLine[]> {
  const joined: LogLine[] = [];
  for await (const each of joinLogs(stream(kept), async () => stream(live))) joined.push(each);
  return joined;
}

test('what the files and the supervisor both have is shown once, and the rest of both in order', async () => {
  const times = fc.array(fc.nat(2), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(times, fc.nat(30), fc.nat(30), async (gaps, a, b) => {
      let ms = 0;
      const all = gaps.map((gap, at) => {
        ms += gap;
        return line(at % 3 === 0 ? 'web' : 'app', ms, `line ${at}`);
      });
      const [from, to] = [Math.min(a, b, all.length), Math.min(Math.max(a, b), all.length)];
      // The files end somewhere, and what the supervisor has begins at or before that.
      const joined = await join(all.slice(0, to), all.slice(from));
      expect(joined).toEqual(all);
    }),
  );
});

test('the same line twice in a millisecond stays twice', async () => {
  const twice = [line('app', 1, 'x'), line('app', 1, 'x')];
  expect(await join(twice, twice)).toEqual(twice);
  expect(await join(twice, [...twice, line('app', 1, 'x')])).toHaveLength(3);
});

test('a clock that went back hides nothing', async () => {
  const kept = [line('app', 5000, 'a'), line('app', 5001, 'b')];
  const back = line('app', 1000, 'after');
  expect(await join(kept, [...kept, back])).toEqual([...kept, back]);
});
