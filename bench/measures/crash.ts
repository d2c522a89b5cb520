import { setTimeout as sleep } from 'node:timers/promises';
import { medianOf, percentileOf } from '../numbers.ts';
import type { Peer } from '../peers/peer.ts';
import { clockMs, Session, sleepers } from '../session.ts';
import type { Figure, Measure, Setting } from './measure.ts';

const SERVICES = 10;
/** Each of the ten lives so long before it is killed: longer than the second that s6 and runit ask between starts. */
const LIFE_MS = 1500;
/** What every peer here calls a stable spell. */
const STABLE_MS = 11_000;
const YOUNG_MS = 50;
const SAMPLES = 100;

export const crash: Measure = {
  name: 'crash',
  title: 'Crash to the next start',
  how: `From SIGKILL to a child until the first instruction of its next incarnation, ten children. fastest: in its fastest setting, each child ${LIFE_MS} ms old, ${SAMPLES} samples. default: the first crash after a stable spell of ${STABLE_MS / 1000} s, 10 samples. young: in its defaults, a child ${YOUNG_MS} ms old after that, 10 samples. Milliseconds.`,
  async run(setting) {
    const figures: Figure[] = [];
    for (const peer of setting.peers) figures.push(...(await measureFastest(peer, setting)));
    figures.push(...(await measureDefaults(setting)));
    return figures;
  },
};

async function measureFastest(peer: Peer, setting: Setting): Promise<Figure[]> {
  const session = open(peer, setting, true);
  const youngest = Math.max(...(await session.waitForStamps(SERVICES)).map(({ at }) => at));
  await sleep(Math.max(0, youngest + LIFE_MS - clockMs()));
  const waits: number[] = [];
  for (let sample = 0; sample < (setting.quick ? 20 : SAMPLES); sample += 1) {
    const began = clockMs();
    waits.push(await killOnce(session, (sample % SERVICES) + 1));
    await sleep(Math.max(0, LIFE_MS / SERVICES - (clockMs() - began)));
  }
  await session.stop();
  setting.say(
    `${peer.name}: crash ${medianOf(waits).toFixed(2)} ms, p99 ${percentileOf(waits, 0.99).toFixed(2)}`,
  );
  return [
    { peer: peer.name, column: 'fastest, median', value: medianOf(waits) },
    { peer: peer.name, column: 'fastest, p99', value: percentileOf(waits, 0.99) },
  ];
}

/** All peers grow old together: an idle one disturbs nobody, and eleven seconds are waited once. */
async function measureDefaults(setting: Setting): Promise<Figure[]> {
  const sessions = setting.peers.map((peer) => ({ peer, session: open(peer, setting, false) }));
  for (const { session } of sessions) await session.waitForStamps(SERVICES);
  await sleep(STABLE_MS);
  const figures: Figure[] = [];
  for (const { peer, session } of sessions) {
    const first: number[] = [];
    const young: number[] = [];
    for (let index = 1; index <= SERVICES; index += 1) {
      first.push(await killOnce(session, index));
      await sleep(YOUNG_MS);
      young.push(await killOnce(session, index));
    }
    figures.push({ peer: peer.name, column: 'default, median', value: medianOf(first) });
    figures.push({ peer: peer.name, column: 'young, median', value: medianOf(young) });
    setting.say(
      `${peer.name}: default ${medianOf(first).toFixed(2)} ms, young ${medianOf(young).toFixed(0)} ms`,
    );
  }
  for (const { session } of sessions) await session.stop();
  return figures;
}

function open(peer: Peer, setting: Setting, fast: boolean): Session {
  const { children } = setting;
  return new Session({ peer, children, services: sleepers(SERVICES, children), wish: { fast } });
}

async function killOnce(session: Session, index: number): Promise<number> {
  const stamps = session.stamps();
  const victim = stamps.findLast((stamp) => stamp.index === index);
  if (!victim) throw new Error(`there is no child ${index} to kill`);
  const killed = clockMs();
  process.kill(victim.pid, 'SIGKILL');
  const next = (await session.waitForStamps(stamps.length + 1)).at(-1);
  return (next?.at ?? Number.NaN) - killed;
}
