/** Real trees of a real worker: started, heard, stopped, and gone before the next worker begins. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobsRequest, ToWorker } from '../../../src/protocol/jobs.ts';
import { isDead, listProcesses } from '../../../src/system/process-table.ts';
import { type Reaper, startReaper } from '../../../src/system/reaper.ts';
import { eventually } from '../../support/descendants.ts';
import { startTrial } from '../../support/worker-trial.ts';

let reaper: Reaper;
beforeAll(() => {
  reaper = startReaper();
});
afterAll(() => reaper.stop());

/** A sleep of a length that no other test has is found by it. */
const MARK = String(7_000_000 + (process.pid % 100_000) * 10);

function marked(): number[] {
  return listProcesses()
    .filter((entry) => !isDead(entry) && commandOf(entry.pid).includes(MARK))
    .map(({ pid }) => pid);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function reportsOf(heard: readonly ToWorker[], attempt: string): unknown[] {
  return heard.flatMap((each) =>
    each.type === 'attempt-report' && each.attempt === attempt ? [each.line] : [],
  );
}

const GRACE = 300;
/** Ignores TERM, and so do two that leave its session, one of them an orphan. */
const STUBBORN = `trap '' TERM; setsid sh -c "trap '' TERM; sleep ${MARK}; sleep ${MARK}" & (setsid sh -c "trap '' TERM; sleep ${MARK}; sleep ${MARK}" &) ; echo up; while :; do sleep ${MARK}; done`;

/** 8,000 lines of 1 KB, twice what PID 1 keeps for a worker that does not read. */
const FLOOD = `
  const fs = require('fs');
  const text = 'x'.repeat(1000);
  for (let line = 0; line < 8000; line += 1) fs.writeSync(3, JSON.stringify({ type: 'progress', percent: line, text }) + '\\n');
`;

const JOBS = `
  stubborn: { command: [sh, -c, ${JSON.stringify(STUBBORN)}], stop_grace_period: ${GRACE}ms, concurrency: 4 }
  answers:
    command: [node, -e, ${JSON.stringify(`
      const read = (fd) => JSON.parse(require('fs').readFileSync(fd, 'utf8').split('\\n')[0]);
      const socket = new (require('net').Socket)({ fd: 3 });
      const tell = (value) => socket.write(JSON.stringify({ type: 'result', value }) + '\\n');
      socket.once('data', (line) => {
        tell({ fd3: JSON.parse(line), stdin: read(0), env: { ...process.env } });
        socket.write('{"type":"result","value":' + '['.repeat(9000) + ']'.repeat(9000) + '}\\n');
        socket.write('no json\\n' + JSON.stringify({ type: 'result', value: 'x'.repeat(70000) }) + '\\n');
        tell('last');
        console.log('said all');
        socket.end();
      });
    `)}]
  fails: { command: [sh, -c, 'echo no such page >&2; exit 3'] }
  missing: { command: [no-such-program-anywhere] }
  floods: { command: [node, -e, ${JSON.stringify(FLOOD)}] }
  eats:
    command: [node, -e, 'const held = []; setInterval(() => held.push(Buffer.alloc(5e6, 1)), 10)']
    deploy: { resources: { limits: { memory: 100m } } }
  leaves: { command: [sh, -c, 'sleep ${MARK} & exit 0'], stop_grace_period: ${GRACE}ms }
`;

describe('an attempt', () => {
  test('gets its data on descriptor 3 and standard input, and is heard line by line', async () => {
    await using trial = await startTrial(JOBS, { BULKHEAD_TEST_SECRET: 'no' });
    await trial.start('11112222-aaaa/2', 'answers', { tool: 'é' });
    const end = await trial.ended('11112222-aaaa/2');
    expect(end).toMatchObject({ code: 0, signal: null, lastLine: 'said all' });
    const [first, second, ...more] = reportsOf(await trial.say(), '11112222-aaaa/2') as { value: unknown }[];
    const input = { id: '11112222-aaaa', type: 'answers', attempt: 2, data: { tool: 'é' } };
    expect(first).toMatchObject({
      value: {
        fd3: input,
        stdin: input,
        env: { BULKHEAD_JOB_ID: input.id, BULKHEAD_JOB_TYPE: 'answers', BULKHEAD_JOB_ATTEMPT: '2' },
      },
    });
    expect(JSON.stringify(first)).not.toContain('BULKHEAD_TEST_SECRET');
    // What is no JSON, too long or too deep was told off in the log, once, and not passed on.
    expect([second?.value, more]).toEqual(['last', []]);
    expect(trial.output.filter((line) => line.includes('not passed on'))).toHaveLength(1);
  });

  test('that fails says so by its exit and its last words, and one that cannot start by why', async () => {
    await using trial = await startTrial(JOBS);
    await trial.start('a/1', 'fails');
    expect(await trial.ended('a/1')).toMatchObject({ code: 3, lastLine: 'no such page' });
    await trial.start('b/1', 'missing');
    expect((await trial.ended('b/1')).startError).toMatch(/no-such-program-anywhere/);
    await trial.start('c/1', 'unknown');
    expect((await trial.ended('c/1')).startError).toBe('the plan has no job called unknown');
  });

  test('has ended when what it left behind has', async () => {
    await using trial = await startTrial(JOBS);
    await trial.start('a/1', 'leaves');
    expect(await trial.ended('a/1')).toMatchObject({ code: 0 });
    expect(marked()).toEqual([]);
  });

  test('whose tree ignores TERM and leaves its session is gone when its grace is over', async () => {
    await using trial = await startTrial(JOBS);
    await trial.start('a/1', 'stubborn');
    await eventually('the tree has grown', () => marked().length >= 5);
    await trial.say({ type: 'attempt-stop', attempt: 'a/1' });
    const asked = performance.now();
    const end = await trial.ended('a/1');
    expect(end).toMatchObject({ signal: 'SIGKILL' });
    expect(marked()).toEqual([]);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(GRACE);
  });
});

describe('an attempt that is too much', () => {
  test('of words: it waits for a worker that is slow to read, and every line arrives', async () => {
    await using trial = await startTrial(JOBS);
    await trial.start('a/1', 'floods');
    void trial.ask({ op: 'deaf', ms: 1000 } as unknown as JobsRequest);
    let tally: unknown;
    await eventually('all was heard', async () => {
      const answer = await trial.ask({ op: 'tally' } as unknown as JobsRequest);
      if (answer.ok) tally = answer.value;
      return JSON.stringify(tally)?.includes('"reports":8000') === true;
    });
    expect(tally).toEqual({ reports: 8000, inOrder: true });
    expect(trial.services.status('worker')?.generation).toBe(1);
  });

  test('of memory: it is killed, and that is why', async () => {
    await using trial = await startTrial(JOBS);
    await trial.start('a/1', 'eats');
    expect(await trial.ended('a/1')).toMatchObject({ signal: 'SIGKILL', killedBy: 'memory' });
    expect(trial.output.join('\n')).toMatch(/eats a\/1 uses .* of memory, more than its plan allows/);
  });
});

describe('a worker', () => {
  test('that is killed takes all its attempts along before the next one starts', async () => {
    await using trial = await startTrial(JOBS);
    for (const attempt of ['a/1', 'b/1', 'c/1']) await trial.start(attempt, 'stubborn');
    await eventually('the trees have grown', () => marked().length >= 15);
    let leftAtStart: number[] | undefined;
    const next = trial.services
      .until((services) => services.status('worker')?.generation === 2)
      .then(() => {
        leftAtStart = marked();
      });
    const asked = trial.ask({ op: 'silence' } as unknown as JobsRequest);
    process.kill(trial.workerPid(), 'SIGKILL');
    expect(await asked).toMatchObject({ ok: false, code: 'worker-away', retryAfter: 1 });
    await next;
    expect(leftAtStart).toEqual([]);
    await trial.ready(2);
    // It knows nothing of them, and starts them again.
    expect(await trial.say()).toEqual([]);
    await trial.start('a/1', 'fails');
    expect(await trial.ended('a/1')).toMatchObject({ code: 3 });
  });

  test.each([
    // A second after TERM they are killed; where there is no second, that is a stop that had to kill.
    ['3s', []],
    ['900ms', ['worker']],
  ])('whose attempts it leaves behind are gone within a stop of %s', async (stopTimeout, unclean) => {
    await using trial = await startTrial(JOBS, { BULKHEAD_STOP_TIMEOUT: stopTimeout });
    await trial.start('a/1', 'stubborn');
    await eventually('the tree has grown', () => marked().length >= 5);
    expect(await trial.shutdown()).toEqual({ unclean });
    expect(marked()).toEqual([]);
  });
});
