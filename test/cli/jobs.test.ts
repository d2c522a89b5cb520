import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTyping, type TypingOptions, type } from '../support/command-line.ts';
import { type FakeTarget, fakeTarget } from '../support/control-target.ts';
import { type FakeOperate, openFakeOperate } from '../support/fake-operate.ts';
import { type FakeQueue, fakeQueue, refuse } from '../support/fake-queue.ts';

let target: FakeTarget;
let queue: FakeQueue;
let control: FakeOperate;

beforeEach(async () => {
  target = fakeTarget();
  queue = fakeQueue();
  control = await openFakeOperate(target, queue);
});
afterEach(() => control[Symbol.asyncDispose]());

/** One command line as a person types it, words split at blanks. */
function typed(line: string, options?: TypingOptions) {
  return type([...line.split(' '), '--socket', control.path], options);
}

/** Adds jobs as a client would, and returns the id of the last. */
function added(count = 1, what: object = {}): string {
  let id = '';
  for (let job = 0; job < count; job += 1) {
    const answer = queue.answer({ op: 'add', type: 'scrape', data: { tool: job }, ...what });
    if (answer.ok && 'job' in answer.value) id = answer.value.job.id;
  }
  return id;
}

/** Plays the worker: after each question about a job it is one step further. */
function play(...steps: Parameters<FakeQueue['set']>[1][]): void {
  queue.onAsked = (request) => {
    if (request.op !== 'get') return;
    const step = steps.shift();
    if (step) queue.set(request.id, step);
  };
}

const RUNNING = { state: 'active', attempts: 1, startedAt: '2026-01-01T00:00:00.000Z' } as const;
const DONE = {
  state: 'completed',
  attempts: 1,
  finishedAt: '2026-01-01T00:00:03.200Z',
  result: { pages: 3 },
} as const;
const FAILED = {
  state: 'failed',
  attempts: 3,
  finishedAt: '2026-01-01T00:00:03.200Z',
  failure: { reason: 'timeout', message: 'it took more than 5 m' },
} as const;

describe('job run', () => {
  test('adds a job and says how to follow it', async () => {
    const { code, out } = await typed('job run scrape --data {"tool":7} --priority=-5 --singleton-key a');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'scrape 00000001 added. Follow it: bulkhead job watch 00000001\n',
    });
    expect(queue.asked).toEqual([
      { op: 'add', type: 'scrape', data: { tool: 7 }, priority: -5, singletonKey: 'a' },
    ]);
  });

  test('with a key twice is one job', async () => {
    await typed('job run scrape --key x');
    const { code, out } = await typed('job run scrape --key x');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'scrape 00000001 waits; it was added before. Follow it: bulkhead job watch 00000001\n',
    });
    expect(queue.jobs).toHaveLength(1);
  });

  test('reads data from a file or standard input', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bh-'));
    writeFileSync(join(folder, 'data.json'), '{"from":"file"}');
    await typed('job run scrape --data-file data.json', { cwd: folder });
    await typed('job run scrape --data-file -', { stdin: '[1,2]' });
    rmSync(folder, { recursive: true });
    expect(queue.jobs.map(({ data }) => data)).toEqual([{ from: 'file' }, [1, 2]]);
  });

  test('takes --data for its own, and the volume from BULKHEAD_DATA', async () => {
    const { code, err } = await type(['job', 'run', 'scrape', '--data', '{}'], {
      env: { BULKHEAD_DATA: '/nowhere' },
    });
    expect(code).toBe(7);
    expect(err).toContain('/nowhere');
  });

  test('begins later when asked', async () => {
    await typed('job run scrape --after 10m');
    expect(queue.asked).toMatchObject([{ startAfter: '2026-01-01T00:10:00.000Z' }]);
  });

  test.each([
    ['--data {tool:7}', /^error: cannot run job run: --data is not JSON: /],
    ['--data 1 --data-file x', /exclude each other/],
    ['--data-file /no/such/file', /^error: cannot read \/no\/such\/file: ENOENT/],
    ['--priority high', /--priority must be a whole number/],
    ['--after soon', /--after must be a duration or a time/],
    ['--timeout 5s', /--timeout is for --wait/],
  ])('refuses %s', async (options, message) => {
    const { code, err } = await typed(`job run scrape ${options}`);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(queue.asked).toEqual([]);
  });

  test('says where jobs are not safe', async () => {
    queue.durability = 'volatile';
    const { code, err } = await typed('job run scrape');
    expect(code).toBe(0);
    const note = 'note: jobs are kept in memory alone: they are lost when this container stops\n';
    expect(err).toBe(note);
    expect((await typed('job run scrape --key k')).err).toBe(
      `${note}note: until the store is back, the key holds in this container alone\n`,
    );
  });

  test('--wait shows progress and ends as the job does', async () => {
    play(RUNNING, { progress: { percent: 40, text: 'page 2' } }, DONE);
    const { code, out } = await typed('job run scrape --wait');
    expect({ code, out }).toEqual({ code: 0, out: 'scrape 00000001 completed after 3.2 s\n{"pages":3}\n' });
    play(RUNNING, FAILED);
    const failed = await typed('job run scrape --wait');
    expect([failed.code, failed.out]).toEqual([
      1,
      'scrape 00000002 failed after 3.2 s, attempt 3 of 3: timeout: it took more than 5 m\n',
    ]);
    play(RUNNING, { state: 'cancelled', attempts: 1 });
    expect((await typed('job run scrape --wait --json')).code).toBe(1);
  });

  test('--wait without a terminal says each change once, also between two tries', async () => {
    const failure = { reason: 'exit', message: 'exit 3: no such page' } as const;
    play(
      RUNNING,
      { progress: { percent: 41, text: 'page 2' } },
      { progress: { percent: 44, text: 'page 2' } },
      { state: 'retry', failure, startAfter: '2026-01-01T00:00:10.000Z' },
      { ...RUNNING, attempts: 2, progress: { percent: 0 } },
      { ...DONE, attempts: 2 },
    );
    const { err, out } = await typed('job run scrape --wait');
    expect(err.split('\n')).toEqual([
      'scrape 00000001 waits',
      'scrape 00000001 runs, attempt 1 of 3',
      'scrape 00000001 runs, attempt 1 of 3: 41 % page 2',
      'scrape 00000001 waits for another try, attempt 1 of 3: not before 10 s; exit 3: no such page',
      'scrape 00000001 runs, attempt 2 of 3: 0 %',
      '',
    ]);
    expect(out).toContain('completed');
    play(RUNNING, DONE);
    expect((await typed('job run scrape --wait --json')).err).toBe('');
  });

  test('with a key that was used for something else is refused', async () => {
    queue.refusal = { ...refuse('key-reused', 'this idempotency key was used'), remedy: 'take a new key' };
    const { code, err } = await typed('job run scrape --key x');
    expect([code, err]).toEqual([5, 'error: this idempotency key was used\nfix: take a new key\n']);
  });

  test('--wait waits for a worker that starts again', async () => {
    let looks = 0;
    queue.onAsked = ({ op }) => {
      if (op !== 'get') return;
      looks += 1;
      queue.refusal = looks === 1 ? refuse('worker-away', 'no worker runs') : undefined;
      if (looks === 3) queue.set(queue.jobs[0]?.id ?? '', DONE);
    };
    expect((await typed('job run scrape --wait')).code).toBe(0);
  });

  test('--wait gives up after its time, and the job goes on', async () => {
    const { code, err } = await typed('job run scrape --wait --timeout 50ms');
    expect([code, err]).toEqual([
      124,
      'scrape 00000001 waits\nscrape 00000001 goes on; it is ended with: bulkhead job cancel 00000001\n',
    ]);
    expect(queue.jobs[0]?.state).toBe('created');
  });

  test('--wait ends at Ctrl-C', async () => {
    const typing = startTyping(['job', 'run', 'scrape', '--wait', '--socket', control.path]);
    queue.onAsked = ({ op }) => {
      if (op === 'get') typing.interrupt('SIGINT');
    };
    expect((await typing.done).code).toBe(1);
  });
});

describe('an id', () => {
  test.each([
    '11111111',
    '111',
    '00000001',
    '0001',
    '11111111-0000-4000-8000-000000000001',
    '1111'.toUpperCase(),
  ])('%s is enough where it is unique', async (id) => {
    added();
    expect((await typed(`job show ${id} --json`)).out).toContain(
      '"id":"11111111-0000-4000-8000-000000000001"',
    );
  });

  test('that is two jobs’ is refused by name', async () => {
    added(18);
    const { code, err } = await typed('job cancel 111');
    expect(code).toBe(2);
    expect(err).toContain('fix: write more of its id: 11111111-0000-4000-8000-000000000011, 11111111-');
    expect(queue.asked.some(({ op }) => op === 'cancel')).toBe(false);
  });

  test.each(['beef', 'xyz', '00000000-0000-4000-8000-0000000000aa'])('%s of none ends 4', async (id) => {
    expect((await typed(`job show ${id}`)).code).toBe(4);
  });
});

describe('refusals', () => {
  test.each([
    ['job run nothing', 4, 'unknown-type'],
    ['job list --type nothing', 4, 'unknown-type'],
    ['job pause nothing', 4, 'unknown-type'],
    ['job retry 0001', 5, 'not-finished'],
  ])('%s ends %i', async (line, code, word) => {
    added();
    const answer = await typed(`${line} --json`);
    expect(answer.code).toBe(code);
    expect(JSON.parse(answer.out).error).toMatchObject({ code: word, exitCode: code });
  });

  test.each([
    ['worker-away', 7],
    ['full', 5],
    ['not-durable', 5],
    ['too-large', 5],
    ['bad-request', 2],
  ] as const)('%s ends %i', async (word, code) => {
    queue.refusal = { ...refuse(word, 'cannot do this: no'), remedy: 'do that' };
    const answer = await typed('job run scrape');
    expect([answer.code, answer.err]).toEqual([code, 'error: cannot do this: no\nfix: do that\n']);
  });

  test('of a supervisor that is not there end 7', async () => {
    expect((await type(['job', 'status', '--socket', '/nowhere/control.sock'])).code).toBe(7);
  });
});

describe('changes', () => {
  test('cancel says whether it is done or under way', async () => {
    added();
    expect((await typed('job cancel 0001')).out).toBe(
      'scrape 00000001 was cancelled. Run it after all: bulkhead job retry 00000001\n',
    );
    expect((await typed('job cancel 0001')).code).toBe(5);
    expect((await typed('job retry 0001')).out).toMatch(/^scrape 00000001 waits again\. /);
    queue.set(queue.jobs[0]?.id ?? '', RUNNING);
    expect((await typed('job cancel 0001')).out).toMatch(/^scrape 00000001 runs and is being stopped\. /);
    expect((await typed('job remove 0001')).code).toBe(5);
    queue.set(queue.jobs[0]?.id ?? '', DONE);
    expect((await typed('job remove 0001')).out).toBe('removed scrape 00000001, which was completed.\n');
  });

  test('redrive, pause and resume mean all, or a type', async () => {
    queue.set(added(), { ...FAILED, deadLetter: true });
    expect((await typed('job redrive backup')).out).toBe(
      'no job of backup has failed for good: nothing to do.\n',
    );
    expect((await typed('job redrive')).out).toBe(
      '1 job waits again. See them: bulkhead job list --state created\n',
    );
    expect((await typed('job pause scrape')).out).toBe(
      'paused: no more jobs of scrape begin; those that run go on. Go on with: bulkhead job resume scrape\n',
    );
    expect((await typed('job resume')).out).toBe('jobs begin again.\n');
    expect(queue.asked.slice(-2)).toEqual([{ op: 'pause', type: 'scrape' }, { op: 'resume' }]);
  });
});

describe('what people see', () => {
  beforeEach(() => {
    added();
    queue.set(added(), { ...RUNNING, progress: { percent: 42.5, text: 'page 3 of 7 \x1b[31mred' } });
    queue.set(added(1, { startAfter: '2026-01-01T00:10:00Z' }), {
      state: 'retry',
      attempts: 1,
      startedAt: RUNNING.startedAt,
      failure: { reason: 'exit', message: 'exit 3: no page' },
    });
    queue.set(added(), { ...DONE, startedAt: RUNNING.startedAt });
    queue.set(added(), { ...FAILED, startedAt: RUNNING.startedAt, deadLetter: true });
  });

  test.each([60, 100, 140])('fits %d columns', async (columns) => {
    const env = { NO_COLOR: '1' };
    const texts: string[] = [];
    for (const line of ['job list', 'job status']) texts.push((await typed(line, { columns, env })).out);
    expect(
      Math.max(
        ...texts
          .join('\n')
          .split('\n')
          .map(({ length }) => length),
      ),
    ).toBeLessThanOrEqual(columns);
    expect(texts.join('\n')).toMatchSnapshot();
  });

  test('is whole for one job', async () => {
    expect((await typed('job show 0002')).out).toMatchSnapshot();
    expect((await typed('job show 0005')).out).toMatchSnapshot();
  });

  test('tells the attempts of a job one by one', async () => {
    const [startedAt, endedAt] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:01:30.000Z'];
    queue.set(queue.jobs[0]?.id ?? '', {
      round: 1,
      singletonKey: 'tool=7',
      parent: '0199aaaa-0000-7000-8000-000000000009',
      history: [
        { attempt: 1, startedAt, endedAt, end: 'released', worker: 'w1' },
        { attempt: 1, startedAt, endedAt, end: 'failed', failure: { reason: 'exit', message: 'exit 3: no' } },
      ],
    });
    expect((await typed('job show 0001')).out).toMatchSnapshot();
  });

  test('is only of the states and types asked for', async () => {
    const { out } = await typed('job list --state failed,retry --type scrape --json');
    expect(JSON.parse(out).jobs.map(({ state }: { state: string }) => state)).toEqual(['failed', 'retry']);
    expect((await typed('job list --type backup')).out).toBe('there are no such jobs\n');
    expect((await typed('job list --state faild')).err).toContain('did you mean failed?');
    expect((await typed('job list --limit 0')).code).toBe(2);
  });

  test('goes over more than one page', async () => {
    added(300);
    const { out } = await typed('job list --limit 250 --json');
    expect(JSON.parse(out).jobs).toHaveLength(250);
    expect(JSON.parse(out).cursor).toBe('250');
    expect((await typed('job list --limit 3')).out).toMatch(/older ones: --limit 12\n$/);
  });

  test('bears a version as JSON', async () => {
    for (const line of ['job list', 'job show 0001', 'job status', 'job redrive', 'job pause']) {
      expect(JSON.parse((await typed(`${line} --json`)).out)).toMatchObject({ schemaVersion: 1 });
    }
  });
});

describe('job watch', () => {
  test('tells each change of one job and ends as it does', async () => {
    added();
    play({}, RUNNING, { progress: { percent: 50 } }, FAILED);
    const { code, out } = await typed('job watch 0001');
    expect(code).toBe(1);
    expect(out.split('\n').map((line) => line.slice(10))).toEqual([
      'scrape 00000001 waits',
      'scrape 00000001 runs, attempt 1 of 3',
      'scrape 00000001 runs, attempt 1 of 3: 50 %',
      'scrape 00000001 failed after 3.2 s, attempt 3 of 3: timeout: it took more than 5 m',
      '',
    ]);
  });

  test('of the whole queue tells what waits and then what changes', async () => {
    queue.set(added(), DONE);
    const id = added();
    const typing = startTyping(['job', 'watch', '--json', '--socket', control.path]);
    let looks = 0;
    queue.onAsked = () => {
      looks += 1;
      if (looks === 1) queue.set(id, RUNNING);
      if (looks === 2) queue.set(id, DONE);
      if (looks === 3) setTimeout(() => typing.interrupt('SIGINT'), 20);
    };
    const { code, out } = await typing.done;
    expect(code).toBe(0);
    const seen = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(seen.map(({ id: seenId, state }) => [seenId, state])).toEqual([
      [id, 'created'],
      [id, 'active'],
      [id, 'completed'],
    ]);
  });
});

test('logs are those of one job where one is named', async () => {
  const line = (job: string) =>
    ({ time: '2026-01-01T00:00:00.000Z', service: 'app', stream: 'stdout', job, line: `of ${job}` }) as const;
  target.write(line('00000001'));
  target.write(line('00000002'));
  const { out } = await typed('logs --job 11111111-0000-4000-8000-000000000002 --no-prefix');
  expect(out).toBe('of 00000002\n');
  expect((await typed('logs scrape')).code).toBe(4);
  target.jobTypes = () => ['scrape'];
  target.write({ ...line('00000003'), service: 'scrape' });
  expect((await typed('logs scrape --no-prefix')).out).toBe('of 00000003\n');
});
