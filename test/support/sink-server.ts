import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface SinkServer extends AsyncDisposable {
  readonly url: string;
  readonly got: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** How it answers from now on; by default with 200. */
  answer: (response: ServerResponse) => void;
  /** Resolves when it got so many requests. */
  gets(count: number): Promise<void>;
}

/** Somebody who is told of alerts. */
export async function openSinkServer(): Promise<SinkServer> {
  let wake = (): void => undefined;
  const server = createServer(async (request, response) => {
    sink.got.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
    sink.answer(response);
    wake();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sink: SinkServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got: [],
    answer: (response) => response.end('ok'),
    async gets(count) {
      while (sink.got.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return sink;
}
