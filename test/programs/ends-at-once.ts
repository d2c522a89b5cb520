// Ends with 7, past whatever Node does at its own end.
import { endAtOnce } from '../../src/system/libc.ts';

process.on('exit', () => console.log("Node's own end"));
endAtOnce(7);
