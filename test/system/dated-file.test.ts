import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../src/base/errors.ts';
import { byAge, dateOf, dayOf, parseLogName } from '../../src/base/log-names.ts';
import { DatedFile } from '../../src/system/dated-file.ts';
import { LogFolder, listLogNames, readNewestEnds } from '../../src/system/log-folder.ts';
import { readLog } from '../support/log-files.ts';

let path = '';
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'bulkhead-dated-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const DAY = dayOf(Date.UTC(2026, 10, 21));
const openFolder = (longest = 1e9): LogFolder => new LogFolder(path, () => longest);

function append(
  file: DatedFile,
  text: string,
  day = DAY,
): Promise<{ error: Error | undefined; written: number }> {
  return new Promise((resolve) =>
    file.append(Buffer.from(text), day, (error, written) => resolve({ error, written })),
  );
}

const read = (name: string): string => readFileSync(join(path, name), 'utf8');

describe('the log of one service', () => {
  it('is a file for each day, and goes back to it when the clock does', async () => {
    const file = new DatedFile(openFolder(), 'app');
    await append(file, 'one\n');
    await append(file, 'two\n', DAY + 1);
    await append(file, 'one hour back\n', DAY);
    await append(file, 'forty days on\n', DAY + 40);
    await file.release();
    expect(read('app-2026-11-21.log')).toBe('one\none hour back\n');
    expect(read('app-2026-11-22.log')).toBe('two\n');
    expect(read('app-2026-12-31.log')).toBe('forty days on\n');
  });

  it('is continued in parts by size, no line divided, and a restart goes on with the last', async () => {
    const first = new DatedFile(openFolder(10), 'app');
    for (const text of ['123456789\n', 'a\n', 'b\n', 'longer than it may be\n', 'c\n'])
      await append(first, text);
    await first.release();
    const second = new DatedFile(openFolder(10), 'app');
    await append(second, 'd\n');
    await second.release();
    expect(readdirSync(path).sort()).toEqual([
      'app-2026-11-21.1.log',
      'app-2026-11-21.2.log',
      'app-2026-11-21.3.log',
      'app-2026-11-21.log',
    ]);
    expect(read('app-2026-11-21.1.log')).toBe('a\nb\n');
    expect(read('app-2026-11-21.3.log')).toBe('c\nd\n');
  });

  it('keeps what comes apart from a line a crash has torn', async () => {
    writeFileSync(join(path, 'app-2026-11-21.log'), 'whole\ntor');
    const file = new DatedFile(openFolder(), 'app');
    await append(file, 'next\n');
    await file.release();
    expect(read('app-2026-11-21.log')).toBe('whole\ntor\nnext\n');
  });

  it('does not end a part inside a line', async () => {
    const file = new DatedFile(openFolder(10), 'app');
    await append(file, 'begun, ');
    await append(file, 'ended\n');
    await append(file, 'next\n');
    await file.release();
    expect(read('app-2026-11-21.log')).toBe('begun, ended\n');
  });

  it('never goes on in a file that is compressed, or that somebody is taking away', async () => {
    const folder = openFolder();
    writeFileSync(join(path, 'app-2026-11-21.log.gz'), '');
    const file = new DatedFile(folder, 'app');
    await append(file, 'one\n');
    expect(read('app-2026-11-21.1.log')).toBe('one\n');
    expect(folder.seal(['app-2026-11-21.1.log'])).toEqual([]);
    await file.release();
    expect(folder.seal(['app-2026-11-21.1.log'])).toEqual(['app-2026-11-21.1.log']);
    await append(file, 'two\n');
    folder.seal([]);
    expect(read('app-2026-11-21.2.log')).toBe('two\n');
    await file.release();
  });

  it('opens its name anew after a release, and what was moved aside is not touched while somebody writes', async () => {
    const folder = openFolder();
    const file = new DatedFile(folder, 'app');
    await append(file, 'one\n');
    renameSync(join(path, 'app-2026-11-21.log'), join(path, 'app-2026-11-21.log.1'));
    expect(folder.seal(['app-2026-11-21.log.1'])).toEqual([]);
    await append(file, 'two\n');
    await file.release();
    await append(file, 'three\n');
    await file.release();
    expect(read('app-2026-11-21.log.1')).toBe('one\ntwo\n');
    expect(read('app-2026-11-21.log')).toBe('three\n');
    expect(readLog(path, 'app').toString()).toBe('one\ntwo\nthree\n');
  });

  it('is shared by two writers line by line', async () => {
    const files = [new DatedFile(openFolder(), 'app'), new DatedFile(openFolder(), 'app')];
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(files.map((file, at) => append(file, `${at}:${round}\n`)));
    }
    for (const file of files) await file.release();
    const lines = readLog(path, 'app').toString().split('\n').slice(0, -1);
    for (const at of [0, 1]) {
      const own = lines.filter((line) => line.startsWith(`${at}:`));
      expect(own).toEqual(own.map((_, round) => `${at}:${round}`));
      expect(own).toHaveLength(50);
    }
  });

  it.skipIf(!canMount())(
    'on a full disk says how much has made it, and goes on when there is room (needs the right to mount)',
    async () => {
      const disk = join(path, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
      try {
        writeFileSync(join(disk, 'ballast'), 'x'.repeat(40_000));
        const file = new DatedFile(new LogFolder(disk, () => 1e9), 'app');
        const text = 'y'.repeat(49_999);
        const { error, written } = await append(file, `${text}\n`);
        expect(codeOf(error)).toBe('ENOSPC');
        rmSync(join(disk, 'ballast'));
        expect(await append(file, `${text}\n`.slice(written))).toMatchObject({ error: undefined });
        await file.release();
        expect(readLog(disk, 'app').toString()).toBe(`${text}\n`);
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );
});

describe('the folder of logs', () => {
  it('tells what is there, what is open, and what a killed program left, and closes what belongs to the past', async () => {
    const folder = openFolder();
    const file = new DatedFile(folder, 'app');
    await append(file, 'one\n');
    for (const name of ['mine.txt', '.app-2026-11-20.log.gz.tmp', 'old-2026-11-20.log.gz']) {
      writeFileSync(join(path, name), '12');
    }
    mkdirSync(join(path, 'dir-2026-11-20.log'));
    const today = await folder.list(DAY);
    expect(today.unfinished).toEqual(['.app-2026-11-20.log.gz.tmp']);
    expect(today.files.map(({ file, open, size }) => [file, open, size]).sort()).toEqual([
      ['app-2026-11-21.log', true, 4],
      ['old-2026-11-20.log.gz', false, 2],
    ]);
    const { files } = await folder.list(DAY + 1);
    expect(files.every(({ open }) => !open)).toBe(true);
  });

  it('says once when it has grown beyond a number of bytes', async () => {
    const folder = openFolder();
    const file = new DatedFile(folder, 'app');
    await append(file, '1234\n');
    await folder.list(DAY);
    let said = 0;
    folder.onceAbove(8, () => {
      said += 1;
    });
    expect(said).toBe(0);
    await append(file, '1234\n');
    await append(file, '1234\n');
    expect(said).toBe(1);
    await file.release();
  });

  it('gives the newest bytes of a service, of several files where one has too few', () => {
    for (const [name, text] of [
      ['app-2026-11-20.log.gz', 'compressed'],
      ['app-2026-11-21.log', 'one\n'],
      ['app-2026-11-21.1.log', 'two\n'],
      ['app-2026-11-22.log', 'three\n'],
    ] as const) {
      writeFileSync(join(path, name), text);
    }
    const names = listLogNames(path).get('app') ?? [];
    expect(readNewestEnds(path, names, 8)?.toString()).toBe('o\nthree\n');
    expect(readNewestEnds(path, names, 1000)?.toString()).toBe('one\ntwo\nthree\n');
    expect(readNewestEnds(path, [], 1000)).toBeUndefined();
  });
});

/** What may happen between two lines. */
type Step =
  | { readonly kind: 'write'; readonly size: number }
  | { readonly kind: 'clock'; readonly ms: number }
  | { readonly kind: 'reopen' | 'cut' | 'close past' | 'move' | 'crash' };

const HOUR = 3600 * 1000;
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('write' as const), size: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('clock' as const),
      ms: fc.oneof(
        fc.constantFrom(1, -HOUR, 40 * 24 * HOUR, -48 * HOUR),
        fc.integer({ min: 0, max: 30 * HOUR }),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('reopen' as const, 'cut', 'close past', 'move', 'crash') }),
  },
);

it('whatever happens, each line stands in a file of its own day, and those of a day hold them in the order they came', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      rmSync(path, { recursive: true, force: true });
      let folder = openFolder(100);
      let file = new DatedFile(folder, 'app');
      let now = Date.UTC(2026, 10, 21, 23, 59, 59, 999);
      let count = 0;
      const written = new Map<string, string[]>();
      for (const each of steps) {
        if (each.kind === 'clock') now += each.ms;
        else if (each.kind === 'reopen') await file.release();
        else if (each.kind === 'cut') folder.cut();
        else if (each.kind === 'close past') await folder.list(dayOf(now));
        else if (each.kind === 'move') {
          const last = lastFile();
          if (last === undefined) continue;
          // As logrotate does it: the name goes on, and the writer is told.
          appendFileSync(join(path, `${last}.${1_000_000 - count}`), readFileSync(join(path, last)));
          rmSync(join(path, last));
          await file.release();
        } else if (each.kind === 'crash') {
          await file.release();
          folder = openFolder(100);
          file = new DatedFile(folder, 'app');
        } else if ('size' in each) {
          count += 1;
          const line = `${count} ${'x'.repeat(each.size)}`;
          const date = dateOf(dayOf(now));
          written.set(date, [...(written.get(date) ?? []), line]);
          expect((await append(file, `${line}\n`, dayOf(now))).error).toBeUndefined();
        }
      }
      await file.release();
      for (const [date, lines] of written) expect(linesOf(date)).toEqual(lines);
    }),
    { numRuns: 60 },
  );
});

function linesOf(date: string): string[] {
  return [...(listLogNames(path).get('app') ?? [])]
    .filter(({ day }) => day === date)
    .toSorted(byAge)
    .flatMap(({ file }) => read(file).split('\n').slice(0, -1));
}

/** The only file of its day, not yet moved: with parts, what is moved aside would have to be put before them. */
function lastFile(): string | undefined {
  const names = [...(listLogNames(path).get('app') ?? [])].toSorted(byAge);
  const last = names.filter(({ moved }) => moved === 0).at(-1);
  const isAlone = names.filter(({ day, moved }) => day === last?.day && moved === 0).length === 1;
  return last && isAlone && parseLogName(last.file) ? last.file : undefined;
}

function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'bulkhead-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
