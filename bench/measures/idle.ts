import { setTimeout as sleep } from 'node:timers/promises';
import { activityOf } from '../processes.ts';
import { Session, sleepers } from '../session.ts';
import type { Measure } from './measure.ts';

const IDLE_MS = 30_000;
/** V8 tidies up once, some eight seconds after a start: 30 ms that belong to it. */
const TIDIED_UP_MS = 12_000;
const SERVICES = 10;

export const idle: Measure = {
  name: 'idle',
  title: 'Idle',
  how: `${IDLE_MS / 1000} s of nothing, ten children, a dozen seconds after their start: processor time of the supervisor's processes, and how often their threads went to sleep. All peers at the same time.`,
  async run(setting) {
    const { children } = setting;
    const sessions = setting.peers.map((peer) => ({
      peer,
      session: new Session({ peer, children, services: sleepers(SERVICES, children) }),
    }));
    for (const { session } of sessions) await session.waitForStamps(SERVICES);
    await sleep(TIDIED_UP_MS);
    const before = sessions.map(({ peer, session }) => {
      const own = session.own();
      return { peer: peer.name, session, own, ...activityOf(own) };
    });
    await sleep(setting.quick ? 5000 : IDLE_MS);
    const figures = before.flatMap(({ peer, own, cpu, wakeUps }) => {
      const after = activityOf(own);
      setting.say(`${peer}: idle ${(after.cpu - cpu).toFixed(2)} ms, ${after.wakeUps - wakeUps} wake-ups`);
      return [
        { peer, column: 'CPU, ms', value: after.cpu - cpu },
        { peer, column: 'wake-ups', value: after.wakeUps - wakeUps },
      ];
    });
    for (const { session } of sessions) await session.stop();
    return figures;
  },
};
