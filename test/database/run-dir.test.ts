import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { layOutRunDir } from '../../src/database/volume.ts';
import { layoutOf } from '../../src/postgres/layout.ts';
import { databaseUser } from '../../src/postgres/system-user.ts';

test('a restart of the database alone leaves the folder of a private server that is in use, and no other', async () => {
  const root = mkdtempSync(join(tmpdir(), 'bulkhead-run-'));
  try {
    const layout = layoutOf(join(root, 'data'), join(root, 'run'));
    const dead = spawn('true');
    await once(dead, 'close');
    const make = (name: string, pid?: number): void => {
      mkdirSync(join(layout.sockets, name), { recursive: true });
      if (pid !== undefined) {
        writeFileSync(join(layout.sockets, name, '.s.PGSQL.5432.lock'), `${pid}\n${root}\n`);
      }
    };
    make('private-served', process.pid);
    make('private-dead', dead.pid);
    make('private-begun');
    make('private-old');
    utimesSync(join(layout.sockets, 'private-old'), 1, 1);
    make('lib', process.pid);
    layOutRunDir(layout, databaseUser('postgres'));
    expect(readdirSync(layout.sockets).filter((name) => name !== 'conf')).toEqual(
      expect.arrayContaining(['private-begun', 'private-served']),
    );
    expect(readdirSync(layout.sockets)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/private-(dead|old)|lib/)]),
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
