import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { MemoryStore } from '../../src/jobs/stores/memory.ts';
import { systemClock } from '../../src/system/clock.ts';
import { conformsToThePort } from './conformance.ts';
import { LIMITS } from './trial.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-journal-'));
afterAll(() => rmSync(folder, { recursive: true }));

for (const journal of [true, false]) {
  const open: MemoryStore[] = [];
  let made = 0;
  conformsToThePort({
    name: journal ? 'in memory with a journal' : 'in memory alone',
    shared: false,
    async open(limits = {}) {
      made += 1;
      const store = new MemoryStore({
        limits: { ...LIMITS, ...limits },
        maxBytes: 16 * 1024 * 1024,
        journal: journal ? join(folder, `${made}.journal`) : undefined,
        clock: systemClock,
        note: () => undefined,
      });
      open.push(store);
      await store.open();
      return store;
    },
    async clear() {
      for (const store of open.splice(0)) await store.close();
    },
  });
}
