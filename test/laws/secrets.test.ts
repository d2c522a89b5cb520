/** What a service is given: its secrets and nobody else's, its user and groups. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askSocket } from '../support/control-socket.ts';
import { eventually } from '../support/descendants.ts';
import { startSupervisor } from '../support/supervisor.ts';

const isRoot = process.geteuid?.() === 0;

test('law 33: a secret is in the environment of its own service alone, in no answer, no log and no event, and gone once removed', async () => {
  const secret = 'hush-4711';
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app: { command: [sleep, '1000'], environment: { DB_PASSWORD: '\${DB_PASSWORD}' }, env_file: { path: '{folder}/app.env', required: false } }
  scraper: { command: [sleep, '1000'] }
`,
    env: { DB_PASSWORD: secret, LOG_LEVEL: 'trace' },
  });
  writeFileSync(join(bulkhead.folder, 'app.env'), 'API_KEY=once-0815\n');
  await bulkhead.answers();
  await bulkhead.run('restart', 'app');
  const environments = async () =>
    Object.fromEntries(
      (await bulkhead.status()).services.map(({ name, pid }) => [
        name,
        readFileSync(`/proc/${pid}/environ`, 'utf8'),
      ]),
    );
  const { app, scraper } = await environments();
  expect(app).toContain(secret);
  expect(app).toContain('once-0815');
  expect(scraper).not.toContain(secret);
  expect(scraper).not.toContain('once-0815');
  for (const path of ['/v1/status', '/v1/plan']) {
    expect(JSON.stringify((await askSocket(bulkhead, 'GET', path)).value)).not.toContain(secret);
  }
  const events = readFileSync(join(bulkhead.dataDir, 'bulkhead', 'events.ndjson'), 'utf8');
  expect(bulkhead.output() + events + bulkhead.log('bulkhead')).not.toContain(secret);
  rmSync(join(bulkhead.folder, 'app.env'));
  await bulkhead.run('restart', 'app');
  expect((await environments()).app).not.toContain('once-0815');
});

test.runIf(isRoot)(
  'law 34: a service has its user, group and home, and one whose user nobody knows is never started',
  async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  web: { command: [sh, -c, 'echo is $$(id -u) $$(id -G) $$USER $$LOGNAME $$HOME; exec sleep 1000'], user: 'nobody:nogroup', ready: { log: ^is } }
  ghost: { command: [sh, -c, 'touch {folder}/ghost'], user: nobody-knows-me, restart: 'on-failure:0' }
`,
    });
    await bulkhead.says('gave up');
    await eventually('web is ready', async () => (await bulkhead.status()).services[0]?.status === 'ready');
    const [web, ghost] = (await bulkhead.status()).services;
    expect(web?.status).toBe('ready');
    expect(bulkhead.log('web')).toMatch(/is 65534 65534 nobody nobody \/\S+/);
    expect(ghost).toMatchObject({ status: 'failed' });
    expect(ghost).not.toHaveProperty('pid');
    expect(ghost?.reason).toContain('nobody-knows-me');
    expect(existsSync(join(bulkhead.folder, 'ghost'))).toBe(false);
  },
);
