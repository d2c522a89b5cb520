import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { medianOf } from '../numbers.ts';
import { clockMs, Session, sleepers } from '../session.ts';
import type { Figure, Measure } from './measure.ts';

const SERVICES = 10;
const RUNS = 15;

export const status: Measure = {
  name: 'status',
  title: 'The status command',
  how: `From the spawn of the command to its end, ten children, median of ${RUNS}. s6 and runit are asked for one service. floor: a Node that does nothing.`,
  async run({ peers, children, say }) {
    const figures: Figure[] = [];
    for (const peer of peers) {
      const session = new Session({ peer, children, services: sleepers(SERVICES, children) });
      await session.waitForStamps(SERVICES);
      await sleep(1500);
      const argv = session.contender.status ?? [process.execPath, '-e', ''];
      const env = { ...session.environment(), ...session.contender.env };
      const times: number[] = [];
      for (let run = 0; run < RUNS; run += 1) times.push(await timeOf(argv, env));
      figures.push({ peer: peer.name, column: 'status, ms', value: medianOf(times) });
      say(`${peer.name}: status ${medianOf(times).toFixed(1)} ms`);
      await session.stop();
    }
    return figures;
  },
};

function timeOf([program = '', ...args]: readonly string[], env: Record<string, string>): Promise<number> {
  const began = clockMs();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(clockMs() - began);
      else reject(new Error(`${program} ended with ${code}`));
    });
  });
}
