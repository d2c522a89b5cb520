/** A container whose wall clock can be set, and no other's with it. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Arguments of `docker run`; needs a C compiler. @param folder where the clock is kept */
export function settableClock(folder: string): readonly string[] {
  const library = join(folder, 'clock-offset.so');
  const source = join(import.meta.dirname, 'clock-offset.c');
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source]);
  writeFileSync(join(folder, 'ld.so.preload'), '/usr/lib/clock-offset.so\n');
  setClock(folder, 0);
  return [
    [library, '/usr/lib/clock-offset.so'],
    [join(folder, 'ld.so.preload'), '/etc/ld.so.preload'],
    [join(folder, 'offset'), '/etc/clock-offset'],
  ].flatMap(([from, to]) => ['--volume', `${from}:${to}:ro`]);
}

/** From now on it is so many seconds ahead of the machine's. */
export function setClock(folder: string, ahead: number): void {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(ahead));
  // Written over in place: who has it mapped must see it, and never find it empty.
  const file = openSync(join(folder, 'offset'), constants.O_WRONLY | constants.O_CREAT, 0o644);
  writeSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
}
