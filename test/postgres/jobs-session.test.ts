import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { openJobsSession } from '../../src/postgres/jobs-session.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** AuthenticationOk, BackendKeyData, ReadyForQuery. */
const WELCOME = Buffer.from('R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x01Z\0\0\0\x05I', 'latin1');

test('a server that lets us in and says no more has ten seconds, and then the session is gone', async () => {
  const asked = Promise.withResolvers<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(WELCOME);
      socket.once('data', () => asked.resolve(socket));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const external = {
    url: '',
    hosts: [{ host: 'silent', address: '127.0.0.1', port }],
    parameters: { sslmode: 'disable' },
  };
  const opening = openJobsSession(
    { external, socketDir: '', port, appUser: 'app', appPassword: 'x' },
    'app',
    undefined,
  );
  const failed = expect(opening).rejects.toThrow(/terminated/);
  const socket = await asked.promise;
  const gone = once(socket, 'close');
  vi.advanceTimersByTime(10_000);
  await failed;
  await gone;
  server.close();
  await once(server, 'close');
});
