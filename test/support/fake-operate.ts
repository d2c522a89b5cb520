import { createServer, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { JobsRequest } from '../../src/protocol/jobs.ts';
import { type FakeTarget, openControl } from './control-target.ts';
import type { FakeQueue } from './fake-queue.ts';

export interface FakeOperate extends AsyncDisposable {
  readonly path: string;
  readonly folder: string;
}

/** PID 1's own control server, with a worker that is a queue of the test behind `POST /v1/jobs`. */
export async function openFakeOperate(target: FakeTarget, queue: FakeQueue): Promise<FakeOperate> {
  const control = await openControl(target);
  const path = join(control.folder, 'operate.sock');
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/jobs') {
      const answer = queue.answer((await json(request)) as JobsRequest);
      const status = !answer.ok && answer.code === 'worker-away' ? 503 : 200;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      return;
    }
    const { method, url, headers } = request;
    const onward = httpRequest({ socketPath: control.path, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    folder: control.folder,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await control[Symbol.asyncDispose]();
    },
  };
}
