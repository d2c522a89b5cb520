import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { medianOf } from '../numbers.ts';
import type { Peer } from '../peers/peer.ts';
import { activityOf } from '../processes.ts';
import { clockMs, Session } from '../session.ts';
import type { Figure, Measure, Setting } from './measure.ts';

const LINE = 120;
const ROUNDS = 3;
const SLOW = new Set(['runit', 'pm2-runtime']);

const MODES = [
  { name: '64 KB writes', chunk: 64 * 1024 },
  { name: 'a write a line', chunk: LINE },
];

export const logs: Measure = {
  name: 'logs',
  title: 'Logs',
  how: '500 MB of 120-byte lines from one child into files on tmpfs, from its first write to the moment the last line stands in the file; MB/s of what the child wrote. CPU: of the supervisor and its loggers, seconds per GB. lost: lines that do not stand whole in the files; every line is looked at. No peer rotates but s6-log (256 MB) and Bulkhead (100 MB).',
  async run(setting) {
    const figures: Figure[] = [];
    const peers = setting.peers.filter(({ name }) => name !== 'bare-floor');
    for (const mode of MODES) {
      const runs = new Map<Peer, { rate: number; cpu: number; lost: number }[]>();
      for (let round = 0; round < (setting.quick ? 1 : ROUNDS); round += 1) {
        for (const peer of peers) {
          if (round > 0 && SLOW.has(peer.name)) continue;
          const result = await runOnce(peer, mode.chunk, setting);
          runs.set(peer, [...(runs.get(peer) ?? []), result]);
          setting.say(
            `${peer.name}: ${mode.name}: ${result.rate.toFixed(0)} MB/s, ${result.cpu.toFixed(2)} s/GB, ${result.lost} lost`,
          );
        }
      }
      for (const [{ name: peer }, results] of runs) {
        const add = (column: string, value: number): void =>
          void figures.push({ peer, column: `${mode.name}, ${column}`, value });
        add('MB/s', medianOf(results.map(({ rate }) => rate)));
        add('CPU s/GB', medianOf(results.map(({ cpu }) => cpu)));
        add('lost', Math.max(...results.map(({ lost }) => lost)));
      }
    }
    return figures;
  },
};

async function runOnce(
  peer: Peer,
  chunk: number,
  { children, quick }: Setting,
): Promise<{ rate: number; cpu: number; lost: number }> {
  const lines = Math.floor((quick ? 1e8 : 5e8) / LINE);
  const session = new Session({
    peer,
    children,
    services: ({ stamps }) => [
      { name: 'writer', argv: [children.writer, stamps, String(lines * LINE), String(chunk)] },
    ],
    wish: { logged: true },
  });
  const [first] = await session.waitForStamps(1);
  const own = session.own();
  const before = activityOf(own);
  const folder = session.contender.logFolder('writer');
  await session.waitForStamps(2, 120_000);
  await waitForEnd(folder);
  const ended = clockMs();
  const cpu = activityOf(own).cpu - before.cpu;
  const found = spawnSync(children.count, [String(lines), ...filesOf(folder)], { encoding: 'utf8' });
  await session.kill();
  const bytes = lines * LINE;
  return {
    rate: bytes / 1e6 / ((ended - (first?.at ?? Number.NaN)) / 1000),
    cpu: cpu / 1000 / (bytes / 1e9),
    lost: lines - Number(found.stdout),
  };
}

/** Until the writer's last line stands in a file. */
async function waitForEnd(folder: string): Promise<void> {
  const until = clockMs() + 60_000;
  while (!filesOf(folder).some(endsWithEnd)) {
    if (clockMs() > until) throw new Error(`the last line never came to ${folder}`);
    await sleep(2);
  }
}

function endsWithEnd(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(64);
    const length = readSync(fd, bytes, 0, bytes.length, Math.max(0, size - bytes.length));
    return bytes.toString('latin1', 0, length).includes('#END');
  } finally {
    closeSync(fd);
  }
}

function filesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path)
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile());
  } catch {
    return [];
  }
}
