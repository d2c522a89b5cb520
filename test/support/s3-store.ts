/** A real S3 server on the loopback, and before it a door that can be slammed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import type { OffsitePlan } from '../../src/config/plan.ts';

export interface TestStore {
  readonly plan: OffsitePlan;
  /** The file in which the server keeps an object. */
  fileOf(key: string): string;
  /** Requests since the last call: `PUT dump/…/x.dump`. */
  taken(): string[];
  /** What becomes of a request; undefined: it goes through. */
  disturb: ((method: string, key: string) => 'refuse' | 'hang up' | undefined) | undefined;
  stop(): Promise<void>;
}

export async function startTestStore(): Promise<TestStore> {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-s3-'));
  const options = {
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: 'box', configs: [] }],
  };
  const server = new S3rver(options);
  const { port } = await server.run();
  let seen: string[] = [];
  const door = createServer((incoming, answer) => {
    const url = new URL(incoming.url ?? '/', 'http://store');
    const key = decodeURIComponent(url.pathname)
      .replace(/^\/box\/?/, '')
      .replace(/^shop\//, '');
    const method = incoming.method ?? '';
    seen.push(`${method} ${key}${url.searchParams.has('list-type') ? url.searchParams.get('prefix') : ''}`);
    const how = store.disturb?.(method, key);
    if (how === 'refuse') {
      incoming.resume();
      answer.writeHead(503).end();
      return;
    }
    if (how === 'hang up') {
      // In the middle: some of it has come.
      incoming.once('data', () => incoming.destroy());
      return;
    }
    const inner = request({ port, method, path: incoming.url, headers: incoming.headers }, (found) => {
      answer.writeHead(found.statusCode ?? 500, found.headers);
      found.pipe(answer);
    });
    inner.on('error', () => answer.destroy());
    incoming.pipe(inner);
  });
  await new Promise<void>((resolve) => {
    door.listen(0, '127.0.0.1', resolve);
  });
  const address = door.address();
  const store: TestStore = {
    plan: {
      endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
      region: 'us-east-1',
      bucket: 'box',
      prefix: 'shop',
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
      pathStyle: true,
    },
    fileOf: (key) => join(directory, 'box', 'shop', `${key}._S3rver_object`),
    taken: () => {
      const all = seen;
      seen = [];
      return all;
    },
    disturb: undefined,
    stop: async () => {
      door.closeAllConnections();
      await new Promise((resolve) => door.close(resolve));
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return store;
}
