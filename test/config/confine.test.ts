import { describe, expect, test } from 'vitest';
import { runLines } from '../../src/config/plan-lines.ts';
import { readText, runOf, spotsOf } from './reading.ts';

function read(words: string) {
  return readText(`version: 1\nservices:\n  a: { command: x, ${words} }\n`);
}

describe('what a process may do', () => {
  test('is nothing special where nothing is written', () => {
    expect(runOf(read('nice: 1'), 'a').confinement).toBeUndefined();
  });

  test('umask is octal, with or without a zero', () => {
    expect(runOf(read('umask: 027'), 'a').confinement?.umask).toBe(0o027);
    expect(runOf(read('umask: "0077"'), 'a').confinement?.umask).toBe(0o077);
  });

  test('a limit is one number for both, or soft and hard, as in Compose', () => {
    expect(
      runOf(read('ulimits: { nofile: { soft: 10, hard: 20 }, core: 0, memlock: -1 }'), 'a').confinement,
    ).toEqual({
      umask: undefined,
      ulimits: {
        nofile: { soft: 10, hard: 20 },
        core: { soft: 0, hard: 0 },
        memlock: { soft: -1, hard: -1 },
      },
      capabilities: [],
      privileged: false,
    });
  });

  test('capabilities are named as Docker takes them', () => {
    expect(runOf(read('cap_add: [cap_net_raw, CHOWN]'), 'a').confinement?.capabilities).toEqual([
      'NET_RAW',
      'CHOWN',
    ]);
    expect(runOf(read('cap_add: [ALL]'), 'a').confinement?.capabilities).toBe('all');
  });

  test('is shown in the words one would write', () => {
    const run = runOf(
      read('umask: 007, ulimits: { nofile: { soft: 1, hard: 2 } }, cap_add: [CHOWN], privileged: true'),
      'a',
    );
    expect(runLines(run)).toEqual(
      expect.arrayContaining([
        { path: 'umask', value: '007' },
        { path: 'ulimits.nofile', value: '1 (hard 2)' },
        { path: 'cap_add', value: 'CHOWN' },
        { path: 'privileged', value: 'true' },
      ]),
    );
  });

  test.each([
    'umask: 888',
    'umask: 7',
    'ulimits: { nofile: { soft: 3, hard: 2 } }',
    'ulimits: { nofile: { soft: -1, hard: 2 } }',
    'ulimits: { nofile: many }',
    'cap_add: [FLY]',
  ])('%s is refused', (words) => {
    expect(spotsOf(read(words))).toHaveLength(1);
  });

  test('half a pair is refused, and a limit nobody knows is told', () => {
    expect(spotsOf(read('ulimits: { nofile: { soft: 3 } }'))[0]).toContain('missing-word');
    expect(read('ulimits: { files: 3 }').problems?.[0]?.message).toContain('nofile');
  });

  test('cap_drop is idle: nobody has what it would drop', () => {
    expect(read('cap_drop: [ALL]').warnings).toMatchObject([{ code: 'idle-word' }]);
  });
});
