// close-memory.ts open|closed: closes its memory or not, says so, and stays until its standard input ends.
import { closeMemory } from '../../src/close-memory.ts';

if (process.argv[2] === 'closed') closeMemory();
console.log(process.argv[2]);
process.stdin.resume();
