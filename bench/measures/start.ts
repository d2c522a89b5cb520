import { setTimeout as sleep } from 'node:timers/promises';
import { medianOf } from '../numbers.ts';
import type { Peer } from '../peers/peer.ts';
import { activityOf, memoryOf } from '../processes.ts';
import { Session, sleepers } from '../session.ts';
import type { Figure, Measure, Setting } from './measure.ts';

/** So often for each count, turn by turn among the peers, so that noise meets all of them. */
const ROUNDS = 5;
const ROUNDS_OF_MANY = 3;
/** Nothing is learnt from waiting for these more than once. */
const SLOW = new Set(['supervisord', 'pm2-runtime']);
const IDLE_MS = 10_000;
const TIDIED_UP_MS = 10_000;

export const start: Measure = {
  name: 'start',
  title: 'Start, stop and memory',
  how: 'start: from the spawn of the supervisor to the first instruction of the last of N children. stop: from the signal to the end of the last child and of the supervisor. Memory: of the supervisor and its helpers, two seconds later. idle 1000: ms of processor time in 10 s with 1000 children, a dozen seconds later, when the start has been tidied up. Medians.',
  async run(setting) {
    const found = new Map<string, number[]>();
    for (const count of setting.counts) {
      for (let round = 0; round < roundsOf(count, setting); round += 1) {
        for (const peer of setting.peers) {
          if (round > 0 && count >= 1000 && SLOW.has(peer.name)) continue;
          for (const { column, value } of await runOnce(peer, count, round, setting)) {
            const key = `${peer.name}\n${column}`;
            found.set(key, [...(found.get(key) ?? []), value]);
          }
        }
      }
    }
    return [...found].map(([key, values]) => {
      const [peer = '', column = ''] = key.split('\n');
      return { peer, column, value: medianOf(values) };
    });
  },
};

function roundsOf(count: number, { quick }: Setting): number {
  if (quick) return 2;
  return count >= 1000 ? ROUNDS_OF_MANY : ROUNDS;
}

async function runOnce(peer: Peer, count: number, round: number, setting: Setting): Promise<Figure[]> {
  const session = new Session({
    peer,
    children: setting.children,
    services: sleepers(count, setting.children),
  });
  const stamps = await session.waitForStamps(count);
  const started = Math.max(...stamps.map(({ at }) => at)) - session.startedAt;
  const figures: Figure[] = [{ peer: peer.name, column: `start ${count}, ms`, value: started }];
  const remember = (column: string, value: number): void =>
    void figures.push({ peer: peer.name, column, value });
  if (round === 0 && (count === 10 || count === 1000)) {
    await sleep(2000);
    const memory = memoryOf(session.own());
    remember(`PSS ${count}, MB`, memory.pss);
    remember(`private dirty ${count}, MB`, memory.privateDirty);
    if (count === 1000 && !setting.quick && !SLOW.has(peer.name)) {
      await sleep(TIDIED_UP_MS);
      const own = session.own();
      const before = activityOf(own);
      await sleep(IDLE_MS);
      remember('idle 1000, ms', activityOf(own).cpu - before.cpu);
    }
  } else {
    // One that is still busy with the start would be measured twice.
    await sleep(count >= 1000 ? 700 : 200);
  }
  remember(`stop ${count}, ms`, await session.stop());
  setting.say(
    `${peer.name}: ${figures.map(({ column, value }) => `${column} ${value.toFixed(1)}`).join(' · ')}`,
  );
  return figures;
}
