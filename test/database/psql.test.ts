import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Failure } from '../../src/base/errors.ts';
import { psqlInvocation } from '../../src/database/psql.ts';

test('psql of a folder that holds no database is refused with the fix, not with a stack', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bh-'));
  try {
    const plan = { port: 5432, name: 'shop', user: 'shop' } as Parameters<typeof psqlInvocation>[1];
    const open = () => psqlInvocation(folder, plan, join(folder, 'run'));
    expect(open).toThrow(Failure);
    expect(open).toThrow(`${folder} holds no database yet`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
