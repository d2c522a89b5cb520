import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { archiveScript } from '../../src/wal/archive-script.ts';
import { killAndLook, type Trial } from '../support/kill-harness.ts';

const SEGMENTS = 8;
/** As PostgreSQL does it: one after the other, and what was not told to be done again. */
const ARCHIVE_ALL =
  'cd "$CLUSTER" && for f in pg_wal/*; do sh ../archive-wal "$f" "${f##*/}" || exit 1; done';

/** Finished segments of a server, and an empty archive. */
async function prepare(): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-archive-'));
  const [cluster, archive] = [join(folder, 'cluster'), join(folder, 'archive')];
  mkdirSync(join(cluster, 'pg_wal'), { recursive: true });
  mkdirSync(archive);
  const written = new Map<string, Buffer>();
  for (let number = 1; number <= SEGMENTS; number += 1) {
    const name = `00000001000000000000000${number}`;
    written.set(name, randomBytes(1024 * 1024));
    writeFileSync(join(cluster, 'pg_wal', name), written.get(name) ?? '');
  }
  writeFileSync(join(folder, 'archive-wal'), archiveScript({ archive, floor: 0 }));
  return {
    work: { command: ['sh', '-c', ARCHIVE_ALL], env: { PATH: process.env.PATH ?? '', CLUSTER: cluster } },
    violations: async () => {
      const expected = [...written.keys()].flatMap((name) => [name, `${name}.sha256`]);
      const found = readdirSync(archive).sort();
      if (found.join() !== expected.join()) return [`the archive holds ${found.join(', ')}`];
      return [...written].flatMap(([name, content]) => {
        const kept = readFileSync(join(archive, name));
        const sum = createHash('sha256').update(content).digest('hex');
        const hash = readFileSync(join(archive, `${name}.sha256`), 'utf8');
        return kept.equals(content) && hash === `${sum}  ${name}\n`
          ? []
          : [`${name} is not what was written`];
      });
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

test.runIf(process.geteuid?.() === 0)(
  'an archive that is killed at random moments holds every segment once, whole, when it is done',
  async () => {
    const report = await killAndLook({ kills: 20, seed: 11, prepare });
    expect(report.violations).toEqual([]);
  },
  120_000,
);
