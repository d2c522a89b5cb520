import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { isPortFree, whoListens } from '../../src/system/ports.ts';

test('a port is free, taken with a name, and free again', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  expect(await isPortFree('127.0.0.1', port)).toBe(false);
  expect(whoListens(port)).toMatchObject({ pid: process.pid, name: expect.any(String) });
  await new Promise((resolve) => server.close(resolve));
  expect(await isPortFree('127.0.0.1', port)).toBe(true);
  expect(whoListens(port)).toBeUndefined();
});
