import type { Readable, Writable } from 'node:stream';
import type { ConnectionTransport } from 'puppeteer-core';

/** The DevTools protocol on Chromium's pipes (--remote-debugging-pipe): JSON, each ended by a zero byte. */
export function pipeTransport(toBrowser: Writable, fromBrowser: Readable): ConnectionTransport {
  let parts: Buffer[] = [];
  const transport: ConnectionTransport = {
    send(message) {
      if (!toBrowser.destroyed) toBrowser.write(`${message}\0`);
    },
    close() {
      toBrowser.end();
    },
  };
  // A browser that is being killed closes them under us.
  toBrowser.on('error', () => {});
  fromBrowser.on('error', () => {});
  fromBrowser.on('data', (chunk: Buffer) => {
    let rest = chunk;
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0)) {
      const message = Buffer.concat([...parts, rest.subarray(0, end)]).toString('utf8');
      parts = [];
      rest = rest.subarray(end + 1);
      // Later, so that the answers of one chunk do not run inside one another.
      setImmediate(() => transport.onmessage?.(message));
    }
    if (rest.length > 0) parts.push(rest);
  });
  fromBrowser.once('close', () => setImmediate(() => transport.onclose?.()));
  return transport;
}
