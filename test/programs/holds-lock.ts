/** Takes a lock, says so, and holds it for ever. argv: the path. */
import { takeLock } from '../../src/system/lock.ts';

console.log(takeLock(process.argv[2] ?? '') ? 'taken' : 'refused');
setInterval(() => undefined, 1000);
