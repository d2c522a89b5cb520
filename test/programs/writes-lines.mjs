// Writes numbered lines of 120 bytes, one write each or in blocks. argv: how many lines, lines per write.
import { writeSync } from 'node:fs';

const [count, perWrite] = process.argv.slice(2).map(Number);
let block = [];
for (let number = 0; number < count; number += 1) {
  block.push(`${String(number).padStart(10, '0')} ${'x'.repeat(108)}\n`);
  if (block.length < perWrite && number < count - 1) continue;
  writeAll(Buffer.from(block.join('')));
  block = [];
}

function writeAll(bytes) {
  for (let from = 0; from < bytes.length; ) from += writeSync(1, bytes, from);
}
