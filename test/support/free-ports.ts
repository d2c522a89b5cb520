/** Ports for tests that run beside each other. */
import { createServer } from 'node:net';

/** Below those the kernel gives to connections and to `listen(0)`, which would take one between our look and its use. */
const FIRST = 10_000;
const LAST = 32_000;
/** Each process begins somewhere else. */
let next = FIRST + ((process.pid * 101) % (LAST - FIRST));

/** So many ports in a row that nobody listens on; no port is given twice to one process. */
export async function freePorts(count: number): Promise<number[]> {
  for (;;) {
    if (next + count > LAST) next = FIRST;
    const block = Array.from({ length: count }, (_, index) => next + index);
    next += count;
    const free = await Promise.all(block.map(isFree));
    if (!free.includes(false)) return block;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
