import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ProcessorWaits } from '../../src/system/processor-waits.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const BURNS = `$| = 1; print "burns\\n"; 1 while 1`;

// A kernel without CONFIG_SCHED_INFO keeps no such record; nobody is restrained there.
test.skipIf(!existsSync('/proc/self/schedstat'))(
  'threads of those asked for are seen to run or to wait all the time; others and patient ones are not counted',
  async () => {
    const [busy, other, patient] = ['busy', 'other', 'patient'].map((name) =>
      startChild(['sh', '-c', `perl -e '${BURNS}' & wait`], {
        tag: `${name}:1`,
        ...(name === 'patient' ? { nice: 15 } : {}),
      }),
    );
    await Promise.all([busy, other, patient].map((child) => child?.printed('burns\n')));
    const waits = new ProcessorWaits(() => performance.now());
    waits.read(() => true);
    let seen = 0;
    // The kernel notes how long a process waited when it runs again.
    await expect
      .poll(
        () => {
          const { ran = 0, waited = 0 } = waits.read((service) => service !== 'patient') ?? {};
          seen += ran + waited;
          return seen;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(100);
    for (const name of ['nobody', 'patient'])
      expect(waits.read((service) => service === name)).toEqual({ ran: 0, waited: 0 });
  },
);
