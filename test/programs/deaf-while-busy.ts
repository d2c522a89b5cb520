/** Hears SIGTERM as Node does, then gives it back to the kernel, and is too busy to hear anything for a while. */
import { endOnSignal } from '../../src/system/libc.ts';

process.on('SIGTERM', () => console.log('heard'));
endOnSignal('SIGTERM');
console.log('busy');
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000);
