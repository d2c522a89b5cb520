import { setTimeout as sleep } from 'node:timers/promises';
import { countZombies } from '../processes.ts';
import { Session } from '../session.ts';
import type { Figure, Measure } from './measure.ts';

const ORPHANS = 1000;
const LATER_MS = 3000;

export const orphans: Measure = {
  name: 'orphans',
  title: 'Orphans',
  how: `The supervisor is PID 1 of a PID namespace; a service leaves ${ORPHANS} processes without a parent, which die half a second later. zombies: how many of them nobody has waited for 3 s after that.`,
  async run({ peers, children, say }) {
    const figures: Figure[] = [];
    for (const peer of peers) {
      const session = new Session({
        peer,
        children,
        services: ({ stamps }) => [{ name: 'parent', argv: [children.orphans, stamps, String(ORPHANS)] }],
        asInit: true,
      });
      await session.waitForStamps(1);
      await sleep(500 + LATER_MS);
      const value = countZombies(session.pid);
      say(`${peer.name}: ${value} zombies`);
      figures.push({ peer: peer.name, column: `zombies of ${ORPHANS}`, value });
      await session.kill();
    }
    return figures;
  },
};
