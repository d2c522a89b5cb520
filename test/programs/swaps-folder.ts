/** Puts a link in the place of a folder and the folder back, as fast as it can. Says "begun" once it has. */
import { symlinkSync, writeSync } from 'node:fs';
import { exchangeNames } from '../../src/system/libc.ts';

const [folder = '', victim = ''] = process.argv.slice(2);
symlinkSync(victim, `${folder}.other`);
for (let round = 0; ; round += 1) {
  exchangeNames(folder, `${folder}.other`);
  if (round === 1) writeSync(1, 'begun\n');
}
