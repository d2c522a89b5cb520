import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startSupervisor } from '../support/supervisor.ts';

describe('the secrets of a volume', () => {
  test('are made once, kept closed, and the same at the next start; without a database too', async () => {
    const plan = `
version: 1
services:
  app:
    command: [sh, -c, 'echo "$NEXTAUTH_SECRET" >> {folder}/told; echo "secret $NEXTAUTH_SECRET."; exec sleep 1000']
    ready: { log: ^secret }
    environment: { NEXTAUTH_SECRET: '\${NEXTAUTH_SECRET}' }
`;
    await using first = await startSupervisor({ plan });
    await first.ready();
    const file = join(first.dataDir, 'secrets', 'nextauth_secret');
    const secret = readFileSync(file, 'utf8').trim();
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(first.dataDir, 'secrets')).mode & 0o777).toBe(0o700);
    await first.stop();
    await using second = await startSupervisor({ plan, folder: first.folder });
    await second.ready();
    expect(readFileSync(join(first.folder, 'told'), 'utf8')).toBe(`${secret}\n${secret}\n`);
    // What is told to a service is in no log, not even when the service prints it.
    expect(second.log('app').match(/secret \S+/g)).toEqual(['secret ********.', 'secret ********.']);
    expect(`${first.output()}${second.output()}`).not.toContain(secret);
  });

  test('hold the token that opens the details of /health, which is never printed', async () => {
    await using bulkhead = await startSupervisor({
      plan: "version: 1\nservices: { app: { command: [sh, -c, 'env; exec sleep 1000'] } }",
    });
    await bulkhead.ready();
    const token = readFileSync(join(bulkhead.dataDir, 'secrets', 'token'), 'utf8').trim();
    const ask = async (headers: Record<string, string>): Promise<string> => {
      const url = `http://127.0.0.1:${bulkhead.port}/health`;
      return (await fetch(url, { headers: { connection: 'close', ...headers } })).text();
    };
    const [closed, open] = [await ask({}), await ask({ authorization: `Bearer ${token}` })];
    expect(open.length).toBeGreaterThan(closed.length);
    expect(bulkhead.output()).not.toContain(token);
    expect(bulkhead.log('app')).not.toContain(token);
  });

  test('are nobody else’s business: a given token is not generated', async () => {
    await using bulkhead = await startSupervisor({
      plan: "version: 1\nservices: { app: { command: [sh, -c, 'env; exec sleep 1000'] } }",
      env: { BULKHEAD_TOKEN: 'given-by-hand' },
    });
    await bulkhead.ready();
    expect(existsSync(join(bulkhead.dataDir, 'secrets', 'token'))).toBe(false);
    expect(bulkhead.log('app')).not.toContain('given-by-hand');
  });
});
