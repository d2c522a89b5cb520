import { medianOf } from '../numbers.ts';
import { Session, sleepers } from '../session.ts';
import type { Measure } from './measure.ts';

const ROUNDS = 3;

export const confined: Measure = {
  name: 'confined',
  title: 'Start with users and limits',
  how: 'As start, 1000 children, each as the user nobody and with a limit of its own on open files. The floor has neither: its figure above is what this one is held against. Milliseconds, median.',
  async run({ peers, children, counts, quick, say }) {
    const ours = peers.find(({ name }) => name === 'bulkhead');
    const count = Math.max(...counts);
    if (!ours) return [];
    const found: number[] = [];
    for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
      const services = sleepers(count, children);
      const session = new Session({ peer: ours, children, services, wish: { confined: true } });
      const stamps = await session.waitForStamps(count);
      found.push(Math.max(...stamps.map(({ at }) => at)) - session.startedAt);
      await session.stop();
      say(`${ours.name}: confined ${count} ${found.at(-1)?.toFixed(1)} ms`);
    }
    return [{ peer: ours.name, column: `confined ${count}, ms`, value: medianOf(found) }];
  },
};
