import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const stepAside = join(import.meta.dirname, '..', '..', 'src', 'backups', 'step-aside.ts');

/** The nice value of a process that began with `nice`, without the right to lower it, after it stepped aside. */
function niceAfter(nice: number): number {
  const code = `const os = require('node:os');
    import(${JSON.stringify(stepAside)}).then(({ stepAside }) => {
      process.getuid() === 0 && (process.setgid(65534), process.setuid(65534));
      stepAside();
      console.log(os.getPriority());
    })`;
  return Number(
    execFileSync('nice', ['-n', String(nice), process.execPath, '-e', code], { encoding: 'utf8' }).trim(),
  );
}

describe('who steps aside', () => {
  test('is patient from then on', () => {
    expect(niceAfter(0)).toBeGreaterThanOrEqual(10);
  });

  test('stays as patient as it was, and does not fail of it', () => {
    expect(niceAfter(15)).toBeGreaterThanOrEqual(15);
  });
});
