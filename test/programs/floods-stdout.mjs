// Writes N numbered lines of 120 bytes as fast as it is read; then, if asked, kills itself in the next breath.
import { writeSync } from 'node:fs';

const lines = Number(process.argv[2]);
let batch = '';
for (let number = 1; number <= lines; number += 1) {
  batch += `${String(number).padStart(10, '0')} ${'x'.repeat(108)}\n`;
  if (batch.length > 60_000 || number === lines) {
    writeAll(batch);
    batch = '';
  }
}
if (process.argv[3] === 'then-dies') {
  writeAll('last words, no newline');
  process.kill(process.pid, 'SIGKILL');
}

function writeAll(text) {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      // spawn's socket may be non-blocking.
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
