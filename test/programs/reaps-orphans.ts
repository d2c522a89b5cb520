/** Makes orphans, reaps them, and prints as JSON how it went. argv: how many. */

import { spawnProcess } from '../../src/system/process.ts';
import { listProcesses } from '../../src/system/process-table.ts';
import { startReaper } from '../../src/system/reaper.ts';

const count = Number(process.argv[2]);
const reaper = startReaper();
const exits = { services: 0, emptied: 0 };
const makers = 10;

for (let maker = 0; maker < makers; maker += 1) {
  // Each in a session of its own, its parent gone at once: only adoption leads back to it.
  const script = `i=0; while [ $i -lt ${count / makers} ]; do (setsid sh -c 'sleep 0.$((RANDOM % 3))' &); i=$((i+1)); done; exit 7`;
  spawnProcess(
    {
      argv: ['bash', '-c', script],
      cwd: '/',
      env: { PATH: process.env.PATH ?? '' },
      tag: `maker-${maker}:1`,
    },
    {
      failed: (error) => console.error(error),
      ready: () => undefined,
      message: () => undefined,
      exited: ({ code }) => {
        if (code === 7) exits.services += 1;
      },
      emptied: () => {
        exits.emptied += 1;
        if (exits.emptied === makers) setTimeout(report, 50);
      },
    },
  );
}

function report(): void {
  const mine = listProcesses().filter(({ parent, pid }) => parent === process.pid && pid !== process.pid);
  console.log(
    JSON.stringify({
      pid: process.pid,
      ...exits,
      reaped: reaper.reaped,
      zombies: reaper.zombies().length,
      left: mine.length,
    }),
  );
  process.exit(0);
}
