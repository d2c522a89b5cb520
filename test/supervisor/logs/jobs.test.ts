import { expect, it } from 'vitest';
import type { LogLine } from '../../../src/protocol/control.ts';
import { openFixture, settle } from './fakes.ts';

const TIME = '2026-01-01T00:00:00.000Z';
const FIRST = { id: '00000000-0000-7000-8000-0000a1b2c3d4', attempt: 1 };
const OTHER = { id: '00000000-0000-7000-8000-0000deadbeef', attempt: 2 };

it('lines of a job carry its id in the text, the file and what follows', async () => {
  const { attach, output, file, logs } = openFixture();
  const heard: LogLine[] = [];
  logs.follow(undefined, (line) => heard.push(line));
  const { stdout } = attach('scrape', 1, FIRST);
  stdout.send('opening\n');
  await settle();
  expect(output.lines).toEqual([`${TIME} scrape a1b2c3d4 | opening`]);
  expect(file('scrape').lines).toEqual([`${TIME} stdout F:a1b2c3d4 opening`]);
  expect(heard).toEqual([
    { time: TIME, service: 'scrape', stream: 'stdout', job: 'a1b2c3d4', line: 'opening' },
  ]);
  expect(logs.tail(['scrape'], 1)).toEqual(heard);
});

it('records of a job carry its whole id and its attempt', async () => {
  const { attach, output } = openFixture({ format: 'json' });
  const { stdout } = attach('scrape', 1, OTHER);
  stdout.send('plain\n{"msg":"own","attempt":"its word"}\n');
  await settle();
  const records = output.lines.map((line) => JSON.parse(line) as object);
  expect(records).toMatchObject([
    { service: 'scrape', job_id: OTHER.id, attempt: 2, msg: 'plain' },
    { service: 'scrape', job_id: OTHER.id, attempt: 2, its_attempt: 'its word', msg: 'own' },
  ]);
});

it('the last words of one job are not those of another beside it', async () => {
  const { attach, logs } = openFixture();
  const [first, other] = [attach('scrape', 1, FIRST), attach('scrape', 2, OTHER)];
  first.stdout.send('no such page\n');
  for (let line = 0; line < 50; line += 1) other.stdout.send(`line ${line}\n`);
  await settle();
  expect(logs.lastLine('scrape', FIRST.id)).toBe('no such page');
  expect(logs.lastLine('scrape', OTHER.id)).toBe('line 49');
});
