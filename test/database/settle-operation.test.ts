/** The flip, killed before each of its changes to the disk: afterwards one whole cluster is in force, the old or the new. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { belongingsOf } from '../../src/database/belongings.ts';
import { finishFlip, settleOperation } from '../../src/database/settle-operation.ts';
import { confirmOperation } from '../../src/operations/workspace.ts';
import { listKeptClusters, sweepKeptClusters } from '../../src/postgres/kept-clusters.ts';
import { type Layout, layoutOf } from '../../src/postgres/layout.ts';
import { newOperation, type Operation, readOperation, writeOperation } from '../../src/postgres/operation.ts';
import type { Job } from '../../src/program/job.ts';
import { currentIdentity } from '../../src/system/users.ts';

const fault = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));
vi.mock('node:fs', async (original) => {
  const fs: typeof import('node:fs') = await original();
  const mortal = <Args extends unknown[], Result>(change: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      fault.left -= 1;
      if (fault.left < 0) throw new Error('killed');
      return change(...args);
    };
  };
  const { renameSync, mkdirSync, rmSync, symlinkSync, rmdirSync } = fs;
  return {
    ...fs,
    renameSync: mortal(renameSync),
    mkdirSync: mortal(mkdirSync),
    rmSync: mortal(rmSync),
    rmdirSync: mortal(rmdirSync),
    symlinkSync: mortal(symlinkSync),
  };
});

const folders: string[] = [];
afterEach(() => {
  fault.left = Number.POSITIVE_INFINITY;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const ours = currentIdentity();
/** The database's user; as root another one. */
const user = ours.uid === 0 ? { ...ours, uid: 65_534, gid: 65_534 } : ours;

function cluster(folder: string, mark: string): void {
  mkdirSync(join(folder, 'main', 'global'), { recursive: true });
  writeFileSync(join(folder, 'main', 'mark'), mark);
  writeControl(join(folder, 'main'), 0);
}

function writeControl(folder: string, writtenAt: number): void {
  const control = Buffer.alloc(64);
  control.writeBigInt64LE(BigInt(Math.floor(writtenAt / 1000)), 24);
  writeFileSync(join(folder, 'global', 'pg_control'), control);
}

/** An old cluster in use, if `from` is one, and a new one whole in its stage. */
function volume(from: number | undefined, to: number): { layout: Layout; operation: Operation } {
  const root = mkdtempSync(join(tmpdir(), 'bulkhead-flip-'));
  folders.push(root);
  const layout = layoutOf(join(root, 'data'), join(root, 'run'));
  mkdirSync(layout.pg, { recursive: true });
  mkdirSync(dirname(layout.identity), { recursive: true });
  writeFileSync(layout.identity, JSON.stringify({ installId: 'i', everHadData: true, pgMajor: from ?? 0 }));
  if (from !== undefined) {
    cluster(join(layout.pg, String(from)), 'old');
    symlinkSync(`${from}/main`, layout.current);
  }
  const operation: Operation = {
    ...newOperation('restore', { from, to, what: 'restore of a test' }),
    step: 'flip',
  };
  cluster(join(layout.pg, operation.stage), 'new');
  writeOperation(layout, operation, user);
  return { layout, operation };
}

function inForce(layout: Layout): string | undefined {
  const path = join(layout.current, 'mark');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

describe.each([
  ['of the same major', 15, 15],
  ['of another major', 15, 18],
  ['where there was none', undefined, 15],
] as const)('a flip to a cluster %s', (_, from, to) => {
  test('killed before any of its changes, is finished by the next start, and loses nothing', () => {
    let kills = 0;
    for (; ; kills += 1) {
      const { layout, operation } = volume(from, to);
      fault.left = kills;
      let killed = false;
      try {
        finishFlip(layout, user, operation);
      } catch (error) {
        expect((error as Error).message).toBe('killed');
        killed = true;
      }
      fault.left = Number.POSITIVE_INFINITY;
      if (killed) {
        // The database's user can read on, whoever wrote it last.
        const note = statSync(join(layout.pg, 'op.json'), { throwIfNoEntry: false });
        expect(note?.uid ?? user.uid).toBe(user.uid);
        // Whoever starts now knows: what is in force, or that a flip is to be finished.
        expect(inForce(layout) ?? readOperation(layout)?.step).toMatch(/^(old|new|flip)$/);
        const left = readOperation(layout);
        if (left) finishFlip(layout, user, left);
      }
      expect(inForce(layout)).toBe('new');
      expect(readlinkSync(layout.current)).toBe(`${to}/main`);
      expect(readOperation(layout)).toBeUndefined();
      const kept = existsSync(layout.trash) ? readdirSync(layout.trash) : [];
      expect(kept).toHaveLength(from === undefined ? 0 : 1);
      for (const name of kept) {
        expect(readFileSync(join(layout.trash, name, String(from), 'main', 'mark'), 'utf8')).toBe('old');
      }
      expect(JSON.parse(readFileSync(layout.identity, 'utf8'))).toMatchObject({
        pgMajor: to,
        installId: 'i',
      });
      if (!killed) break;
    }
    expect(kills).toBeGreaterThan(4);
  });
});

test('what moves in with a cluster gets its place whenever the flip is killed, and an app.env of before stays', () => {
  let kills = 0;
  for (; ; kills += 1) {
    const { layout, operation: flip } = volume(undefined, 15);
    const operation: Operation = { ...flip, op: 'move-in' };
    writeOperation(layout, operation, user);
    const { assets, environment, sealed } = belongingsOf(layout, operation.stage);
    const config = dirname(environment.place);
    for (const folder of [assets.place, assets.stage, config]) mkdirSync(folder);
    writeFileSync(join(assets.stage, 'file'), 'asset');
    writeFileSync(environment.stage, 'NEW=1');
    writeFileSync(sealed.stage, 'age');
    writeFileSync(environment.place, 'OLD=1');
    fault.left = kills;
    let killed = false;
    try {
      finishFlip(layout, user, operation);
    } catch (error) {
      expect((error as Error).message).toMatch(/killed$/);
      killed = true;
    }
    fault.left = Number.POSITIVE_INFINITY;
    const left = readOperation(layout);
    if (left) finishFlip(layout, user, left);
    expect(inForce(layout)).toBe('new');
    expect(readFileSync(join(assets.place, 'file'), 'utf8')).toBe('asset');
    expect(readdirSync(config).sort()).toEqual(['app.env', 'app.env.age', 'app.env.moved-in']);
    expect(readFileSync(environment.place, 'utf8')).toBe('OLD=1');
    expect(readdirSync(layout.dataDir).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(readOperation(layout)).toBeUndefined();
    if (!killed) break;
  }
  expect(kills).toBeGreaterThan(6);
});

describe('what a start does with an operation', () => {
  const notes: string[] = [];
  const job = { note: (text: string) => void notes.push(text), signal: new AbortController().signal } as Job;
  const nothing = async (): Promise<void> => undefined;
  afterEach(() => void notes.splice(0));

  test('one that was still building never was', async () => {
    const { layout, operation } = volume(15, 15);
    writeOperation(layout, { ...operation, step: 'build' }, user);
    await settleOperation(job, layout, user, nothing);
    expect(inForce(layout)).toBe('old');
    expect(existsSync(join(layout.pg, operation.stage))).toBe(false);
    expect(readOperation(layout)).toBeUndefined();
    expect(notes).toEqual(['restore of a test was interrupted: nothing has changed']);
  });

  test('one that was asked for is done, and one that fails or comes too late leaves all as it was', async () => {
    const { layout, operation } = volume(15, 15);
    const asked: Operation = { ...operation, step: 'asked' };
    const done: string[] = [];
    const fail = async (_: Job, { op }: Operation): Promise<void> => {
      done.push(op);
      throw new Error('it did not work');
    };
    writeOperation(layout, { ...asked, startedAt: new Date(Date.now() - 3_600_000).toISOString() }, user);
    await settleOperation(job, layout, user, fail);
    expect(done).toEqual([]);
    writeOperation(layout, asked, user);
    await settleOperation(job, layout, user, fail);
    expect(done).toEqual(['restore']);
    expect(inForce(layout)).toBe('old');
    expect(readOperation(layout)).toBeUndefined();
    expect(notes.join()).toMatch(/asked for too long ago.*failed, and nothing has changed: it did not work/);
  });

  test('one that root has confirmed is the database’s user’s to read', async () => {
    const { layout, operation } = volume(15, 15);
    writeOperation(layout, { ...operation, step: 'built' }, user);
    await confirmOperation(layout, user, operation.stage, async () => undefined);
    expect(readOperation(layout)?.step).toBe('flip');
    expect(statSync(join(layout.pg, 'op.json')).uid).toBe(user.uid);
  });

  test('one that is confirmed while the start looks at it is flipped, not swept', async () => {
    const { layout, operation } = volume(15, 15);
    writeOperation(layout, { ...operation, step: 'built' }, user);
    const settling = settleOperation(job, layout, user, nothing);
    writeOperation(layout, operation, user);
    await settling;
    expect(inForce(layout)).toBe('new');
  });

  const DAY = 86_400_000;
  const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

  test('one that waited for a week while nothing ran is flipped; what it replaced went out of use just now', async () => {
    const { layout, operation } = volume(15, 15);
    writeControl(join(layout.pg, '15', 'main'), Date.now() - 8 * DAY);
    writeOperation(layout, { ...operation, startedAt: ago(9 * DAY), readyAt: ago(8 * DAY) }, user);
    // Killed behind the first rename: the moment that is written is the one that counts.
    fault.left = 5;
    await expect(settleOperation(job, layout, user, nothing)).rejects.toThrow('killed');
    fault.left = Number.POSITIVE_INFINITY;
    const { flippedAt } = readOperation(layout) ?? {};
    expect(Date.now() - Date.parse(flippedAt ?? '')).toBeLessThan(DAY);
    expect(await settleOperation(job, layout, user, nothing)).toEqual({
      stageInUse: undefined,
      settled: true,
    });
    expect(inForce(layout)).toBe('new');
    const [kept, ...others] = listKeptClusters(layout);
    expect(others).toEqual([]);
    expect(Date.parse(kept?.since ?? '')).toBe(Math.floor(Date.parse(flippedAt ?? '') / 1000) * 1000);
    expect(sweepKeptClusters(layout, Date.now())).toEqual([]);
  });

  test.each(['restore', 'rollback'] as const)(
    'a %s that nobody waited for goes by where the cluster in use went on; killed in it, it still does',
    async (op) => {
      for (let kills = 0; ; kills += 1) {
        const { layout, operation } = volume(15, 18);
        writeControl(join(layout.pg, '15', 'main'), Date.now() - DAY);
        let { stage } = operation;
        if (op === 'rollback') {
          stage = 'trash/20261101T000000Z-upgrade/18';
          cluster(join(layout.pg, stage), 'kept');
          rmSync(join(layout.pg, operation.stage), { recursive: true });
        }
        writeOperation(layout, { ...operation, op, stage, readyAt: ago(8 * DAY) }, user);
        fault.left = kills;
        const killed = await settleOperation(job, layout, user, nothing).then(
          () => false,
          () => true,
        );
        fault.left = Number.POSITIVE_INFINITY;
        if (killed) await settleOperation(job, layout, user, nothing);
        expect(inForce(layout)).toBe('old');
        expect(readOperation(layout)).toBeUndefined();
        expect(existsSync(join(layout.pg, stage))).toBe(op === 'rollback');
        if (op === 'rollback') expect(listKeptClusters(layout)).toHaveLength(1);
        if (!killed) break;
      }
      expect(notes.join()).toContain('never came into force; the cluster in use has gone on without it');
    },
  );

  test('a file that no version of ours wrote stops the start before anything is touched', async () => {
    const { layout } = volume(15, 15);
    for (const text of ['{', '{"schema":2}', '{"schema":1,"step":"flip","stage":"../../etc"}']) {
      writeFileSync(join(layout.pg, 'op.json'), text);
      await expect(settleOperation(job, layout, user, nothing)).rejects.toThrow(/cannot read .*op\.json/);
    }
    expect(inForce(layout)).toBe('old');
  });
});
