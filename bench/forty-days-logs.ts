/** The logs of forty days: the files and the care of PID 1, its program for what is closed, days as they are told. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { dayOf, parseLogName } from '../src/base/log-names.ts';
import { LogCare } from '../src/supervisor/logs/care.ts';
import { DatedFile } from '../src/system/dated-file.ts';
import { LogFolder } from '../src/system/log-folder.ts';
import type { TestVolume } from '../test/support/postgres.ts';

const MB = 1024 ** 2;
/** As in a plan, smaller by fifty times. */
const LIMITS = { files: true, keepDays: 30, maxFile: 2 * MB, maxTotal: 40 * MB };
const LINES_A_DAY = 30_000;
const LINES_A_WRITE = 1000;

export interface DaysOfLogs {
  /** A day of lines, and what is done with the files at its end. @param wall ms since the epoch, within that day */
  pass(wall: number): Promise<void>;
  /** What is there in the end. */
  report(): string;
}

export function openLogsOfDays(volume: TestVolume): DaysOfLogs {
  const path = join(volume.dataDir, 'logs');
  mkdirSync(path, { recursive: true });
  const folder = new LogFolder(path, () => LIMITS.maxFile);
  const file = new DatedFile(folder, 'app');
  const said: string[] = [];
  let now = 0;
  let number = 0;
  let most = 0;
  let atWork = 0;
  const working = async <Value>(work: Promise<Value>): Promise<Value> => {
    atWork += 1;
    return work.finally(() => {
      atWork -= 1;
    });
  };
  const care = new LogCare({
    clock: { now: () => now, mono: () => now, after: () => () => undefined },
    folder: {
      list: (today) => working(folder.list(today)),
      seal: (files) => folder.seal(files),
      cut: () => folder.cut(),
      onceAbove: (bytes, run) => folder.onceAbove(bytes, run),
    },
    limits: () => LIMITS,
    services: () => ['app'],
    say: (level, text) => void said.push(`${new Date(now).toISOString().slice(0, 10)} ${level}: ${text}`),
    run: async (work) => {
      const input = { work: JSON.stringify(work) };
      const ended = await working(volume.run('compress-logs', { input, asRoot: true }));
      if (ended.failure !== undefined) said.push(ended.failure);
      return ended.code === 0;
    },
  });

  function write(lines: number): Promise<void> {
    const text = Array.from({ length: lines }, () => {
      number += 1;
      // Random, so that a compressed day is not nothing.
      const noise = Buffer.from(Array.from({ length: 60 }, () => Math.random() * 256)).toString('base64');
      return `${new Date(now).toISOString()} out  #${String(number).padStart(10, '0')} ${noise}\n`;
    }).join('');
    return new Promise((resolve, reject) =>
      file.append(Buffer.from(text), dayOf(now), (error) => (error ? reject(error) : resolve())),
    );
  }

  return {
    async pass(wall) {
      now = wall;
      for (let lines = 0; lines < LINES_A_DAY; lines += LINES_A_WRITE) await write(LINES_A_WRITE);
      await care.look();
      // One that began by itself, because there was too much, may be at work still.
      for (let still = 0; still < 3; still += 1) {
        if (atWork > 0) still = 0;
        await sleep(2);
      }
      most = Math.max(most, bytesIn(path));
    },
    report() {
      const names = readdirSync(path).flatMap((name) => parseLogName(name) ?? []);
      const days = [...new Set(names.map(({ day }) => day))].toSorted();
      const numbers = names.flatMap(({ file: name, compressed }) => numbersIn(join(path, name), compressed));
      const first = numbers.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
      const missing = number - first + 1 - new Set(numbers).size;
      return [
        `logs: ${number} lines in all; kept ${names.length} files (${names.filter(({ compressed }) => compressed).length} compressed) of ${days.length} days, ${days[0]} to ${days.at(-1)},`,
        `${(bytesIn(path) / MB).toFixed(1)} MB now, at most ${(most / MB).toFixed(1)} MB after a look, cap ${LIMITS.maxTotal / MB} MB;`,
        `lines ${first} to ${number} are there, of them ${missing} missing, ${numbers.length - new Set(numbers).size} twice`,
        ...said.slice(-8).map((text) => `\n  ${text}`),
      ].join(' ');
    },
  };
}

function numbersIn(path: string, compressed: boolean): number[] {
  const bytes = readFileSync(path);
  const text = (compressed ? gunzipSync(bytes) : bytes).toString('latin1');
  return [...text.matchAll(/ #(\d{10}) \S+\n/g)].map(([, found]) => Number(found));
}

function bytesIn(folder: string): number {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)).length)
    .reduce((sum, size) => sum + size, 0);
}
