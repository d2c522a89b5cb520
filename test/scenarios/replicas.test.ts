import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePorts, type Supervisor, startSupervisor } from '../support/supervisor.ts';

/** Ports that count up need room behind the first: far apart from each other and from what others bind. */
/** The first of as many ports in a row as any of these tests has replicas. */
async function portWithRoom(): Promise<number> {
  return (await freePorts(8))[0] ?? 0;
}

function plan(port: number, replicas: number): string {
  return `
version: 1
services:
  web:
    command: [node, "{programs}/serves-instance.mjs", "{folder}/broken-\${BULKHEAD_INSTANCE}"]
    port: ${port}
    critical: true
    deploy: { replicas: ${replicas} }
    healthcheck: { http: "http://127.0.0.1:\${BULKHEAD_INSTANCE_PORT}/", interval: 1s }
  proxy:
    command: [sleep, "1000"]
    depends_on: { web: { condition: service_healthy } }
`;
}

async function statusesOf(bulkhead: Supervisor): Promise<Record<string, string>> {
  const { services } = await bulkhead.status();
  return Object.fromEntries(services.map(({ name, status }) => [name, status]));
}

async function pidsOf(bulkhead: Supervisor): Promise<Record<string, number | undefined>> {
  const { services } = await bulkhead.status();
  return Object.fromEntries(services.map(({ name, pid }) => [name, pid]));
}

async function ask(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  return response.text();
}

describe('replicas', () => {
  test('start with their numbers and ports, go by one name, and come and go while it runs', async () => {
    const port = await portWithRoom();
    await using bulkhead = await startSupervisor({ plan: plan(port, 2) });
    await bulkhead.ready();
    expect(await ask(port)).toMatch(/^1 /);
    expect(await ask(port + 1)).toMatch(/^2 /);
    const before = await pidsOf(bulkhead);

    const more = await bulkhead.run('scale', 'web=3');
    expect(more).toMatchObject({ code: 0, stderr: '' });
    expect(more.stdout).toMatch(/^started web-3 \(ready, pid \d+, .*\)\./);
    expect(await ask(port + 2)).toMatch(/^3 /);
    expect(await statusesOf(bulkhead)).toEqual({
      'web-1': 'ready',
      'web-2': 'ready',
      'web-3': 'ready',
      proxy: 'ready',
    });
    expect(await pidsOf(bulkhead)).toMatchObject(before);

    const same = await bulkhead.run('scale', 'web=3');
    expect(same).toMatchObject({ code: 0, stdout: 'web has 3 already: nothing to do.\n' });

    const one = await bulkhead.run('scale', 'web=1');
    expect(one.stdout).toMatch(/^stopped web-2 \(.*\)\.\nstopped web-3 \(.*\)\.\n$/);
    expect(await statusesOf(bulkhead)).toEqual({ 'web-1': 'ready', proxy: 'ready' });
    expect((await pidsOf(bulkhead))['web-1']).toBe(before['web-1']);

    const reload = await bulkhead.run('reload', '--dry-run');
    expect(reload.stdout).toContain('start web-2 (new in the plan)');
    expect(await bulkhead.run('stop', 'web')).toMatchObject({ code: 0 });
    expect(await statusesOf(bulkhead)).toEqual({ 'web-1': 'stopped', proxy: 'ready' });
  });

  test('say why they cannot be scaled', async () => {
    const port = await portWithRoom();
    await using bulkhead = await startSupervisor({ plan: plan(port, 1) });
    await bulkhead.ready();
    expect(await bulkhead.run('scale', 'proxy=2')).toMatchObject({
      code: 5,
      stderr:
        'error: cannot scale: proxy has no deploy.replicas\nfix: add deploy: { replicas: 1 } to it, and reload\n',
    });
    expect((await bulkhead.run('scale', 'nobody=2')).code).toBe(4);
    expect((await bulkhead.run('scale', 'web')).code).toBe(2);
    writeFileSync(
      join(bulkhead.folder, 'plan.yaml'),
      'version: 1\nservices:\n  other: { command: [sleep, "1000"] }\n  web: { command: x, deploy: { replicas: 1 } }\n',
    );
    const changed = await bulkhead.run('scale', 'web=2');
    expect(changed).toMatchObject({ code: 5 });
    expect(changed.stderr).toContain('the plan has changed since it was read');
    expect(await statusesOf(bulkhead)).toEqual({ 'web-1': 'ready', proxy: 'ready' });
  });

  test('are not started where a port of theirs is taken', async () => {
    const port = await portWithRoom();
    await using bulkhead = await startSupervisor({ plan: plan(port, 1) });
    await bulkhead.ready();
    const stranger = createServer().listen(port + 2, '127.0.0.1');
    await once(stranger, 'listening');
    try {
      const refused = await bulkhead.run('scale', 'web=3');
      expect(refused.code).toBe(5);
      expect(refused.stderr).toContain(`cannot scale: port ${port + 2} of web-3 is taken by node`);
      expect(await statusesOf(bulkhead)).toEqual({ 'web-1': 'ready', proxy: 'ready' });
    } finally {
      stranger.close();
    }
    expect(await bulkhead.run('scale', 'web=3')).toMatchObject({ code: 0 });
  });

  test('take a new plan one by one: a broken one stops at the first, and a mended one goes through them all', async () => {
    const port = await portWithRoom();
    await using bulkhead = await startSupervisor({ plan: plan(port, 3) });
    await bulkhead.ready();
    const before = await pidsOf(bulkhead);
    const path = join(bulkhead.folder, 'plan.yaml');
    const written = readFileSync(path, 'utf8');
    const change = (to: string) => writeFileSync(path, written.replace(/command: \[node, .*\]/, to));

    change('command: [node, -e, "process.exit(3)"]');
    expect(await bulkhead.run('reload')).toMatchObject({ code: 0 });
    await bulkhead.says('web-2, web-3 of web was left as it was');
    const halted = await pidsOf(bulkhead);
    expect(halted).toMatchObject({ 'web-2': before['web-2'], 'web-3': before['web-3'] });
    expect(await ask(port + 1)).toMatch(/^2 /);

    writeFileSync(path, written.replace('port:', 'environment: { MODE: new }\n    port:'));
    expect(await bulkhead.run('reload')).toMatchObject({ code: 0 });
    const { code } = await bulkhead.run('wait', '--for', 'ready', '--timeout', '20s');
    expect(code).toBe(0);
    await expect
      .poll(async () => (await bulkhead.run('reload', '--dry-run')).stdout, { timeout: 20_000 })
      .toContain('nothing differs');
    await bulkhead.ready();
    const order = eventsOf(await bulkhead.run('events', '--json'), 'web-');
    expect(order.slice(-3)).toEqual(['web-1', 'web-2', 'web-3']);
    const after = await pidsOf(bulkhead);
    for (const name of ['web-1', 'web-2', 'web-3']) expect(after[name]).not.toBe(before[name]);
  });

  test('restart one by one, always with one of them ready, and stop at the first that does not come up', async () => {
    const port = await portWithRoom();
    await using bulkhead = await startSupervisor({ plan: plan(port, 3) });
    await bulkhead.ready();
    const before = await pidsOf(bulkhead);

    const rolled = await bulkhead.run('restart', '--rolling', 'web');
    expect(rolled).toMatchObject({ code: 0, stderr: '' });
    expect(rolled.stdout.match(/^restarted web-\d/gm)).toEqual([
      'restarted web-1',
      'restarted web-2',
      'restarted web-3',
    ]);
    const after = await pidsOf(bulkhead);
    for (const name of ['web-1', 'web-2', 'web-3']) expect(after[name]).not.toBe(before[name]);
    expect(after.proxy).toBe(before.proxy);
    const order = eventsOf(await bulkhead.run('events', '--json'), 'web-');
    // Behind the boot: stopping, stopped, starting and ready of one replica before the next one is touched.
    expect(order.slice(-3)).toEqual(['web-1', 'web-2', 'web-3']);

    const marker = join(bulkhead.folder, 'broken-2');
    writeFileSync(marker, '');
    const stopped = await bulkhead.run('restart', '--rolling', 'web');
    expect(stopped.code).toBe(1);
    expect(stopped.stdout).toMatch(
      /^restarted web-1 .*\nweb-2 did not become ready: .*\nweb-3 was left as it was: .*\n$/,
    );
    expect((await pidsOf(bulkhead))['web-3']).toBe(after['web-3']);
    // Two of three critical ones are ready: degraded, and still serving.
    expect(await bulkhead.probe('/readyz')).toMatchObject({ status: 200 });
    expect((await bulkhead.status()).overall).toBe('warn');
    rmSync(marker);
  });
});

/** Whom the `changed` events speak of, neighbours as one. */
function eventsOf({ stdout }: { readonly stdout: string }, prefix: string): string[] {
  const names = stdout
    .trimEnd()
    .split('\n')
    .map((line): { type: string; service?: string } => JSON.parse(line))
    .filter(({ type, service }) => type === 'changed' && service?.startsWith(prefix))
    .map(({ service = '' }) => service);
  return names.filter((name, index) => name !== names[index - 1]);
}
