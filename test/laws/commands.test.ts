/** What people ask for, in every state and all at once. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askSocket } from '../support/control-socket.ts';
import { eventually, listDescendants } from '../support/descendants.ts';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

/** A service that says so and stays. */
const STAYS = "command: [sh, -c, 'echo here; exec sleep 1000']";

async function statusOf(bulkhead: Supervisor, name: string) {
  const found = (await bulkhead.status()).services.find((service) => service.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

test('law 6: a stop ends in stopped for real services in every state, and nothing of them starts again', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  up: { command: [sh, -c, 'echo here-$$((1+1)); exec sleep 1000'] }
  starting: { ${STAYS}, ready: { log: never } }
  waiting: { ${STAYS}, depends_on: { starting: { condition: service_healthy } } }
  backoff: { command: ['false'], backoff: { initial: 30s } }
  failed: { command: ['false'], restart: 'no' }
  task: { type: task, command: [sleep, '1000'] }
`,
  });
  await bulkhead.says('here-2');
  await eventually('each is where it belongs', async () => {
    const { services } = await bulkhead.status();
    return (
      services.map(({ status }) => status).join(' ') === 'ready starting waiting backoff failed starting'
    );
  });
  const names = ['up', 'starting', 'waiting', 'backoff', 'failed', 'task'];
  expect((await bulkhead.run('stop', ...names)).code).toBe(0);
  const { services } = await bulkhead.status();
  expect(new Set(services.map(({ status }) => status))).toEqual(new Set(['stopped']));
  expect(services.map(({ generation }) => generation)).toEqual([1, 1, 0, 1, 1, 1]);
  expect(listDescendants(bulkhead.pid)).toEqual([]);
});

test('law 7: a restart asked twice of a service that waits for a ready line ends in exactly one process', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  a: { command: [sh, -c, 'echo begun-$$((1+1)); until test -e {folder}/gate; do sleep 0.05; done; echo open; exec sleep 1000'], ready: { log: open } }
  b: { command: [sleep, '1002'], depends_on: { a: { condition: service_healthy } } }
`,
  });
  await bulkhead.says('begun-2');
  for (let times = 0; times < 2; times += 1) {
    await askSocket(bulkhead, 'POST', '/v1/services/restart', { names: ['b'], wait: false });
  }
  expect(await statusOf(bulkhead, 'b')).toMatchObject({ status: 'waiting', generation: 0 });
  writeFileSync(join(bulkhead.folder, 'gate'), '');
  await bulkhead.ready();
  expect(listDescendants(bulkhead.pid).filter(({ argv }) => argv === 'sleep 1002')).toHaveLength(1);
  expect(await statusOf(bulkhead, 'b')).toMatchObject({ status: 'ready', generation: 1 });
});

test.each(['start', 'stop', 'restart'])(
  'law 8: fifty mixed commands over the control socket end in the last accepted one, here %s',
  async (last) => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app:
    command: [sh, -c, 'trap "rmdir {folder}/only; exit 0" TERM; mkdir {folder}/only || echo DOUBLE; echo up; while :; do sleep 0.05; done']
    ready: { log: ^up }
`,
    });
    await bulkhead.ready();
    const verbs = Array.from({ length: 49 }, (_, index) => ['stop', 'start', 'restart'][(index * 7) % 3]);
    const command = (verb = 'start') =>
      askSocket(bulkhead, 'POST', `/v1/services/${verb}`, { names: ['app'], wait: false });
    const answers = await Promise.all(verbs.map((verb) => command(verb)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    await command(last);
    const wanted = last === 'stop' ? 'stopped' : 'ready';
    await eventually(`app is ${wanted}`, async () => (await statusOf(bulkhead, 'app')).status === wanted);
    expect(await statusOf(bulkhead, 'app')).toMatchObject({ restarts: 0 });
    expect(bulkhead.log('app')).not.toContain('DOUBLE');
    expect(existsSync(join(bulkhead.folder, 'only'))).toBe(last !== 'stop');
    expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
  },
);

test('law 22: a stop goes against the dependencies though one ignores its signal, and the first to start ends clean', async () => {
  const says = (name: string) =>
    `trap "echo ${name} >> {folder}/order; exit 0" TERM; echo up; while :; do sleep 0.05; done`;
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
stop_timeout: 3s
services:
  db: { command: [sh, -c, '${says('db')}'], ready: { log: ^up } }
  app: { command: [sh, -c, '${says('app')}'], ready: { log: ^up }, depends_on: { db: { condition: service_healthy } } }
  deaf: { command: [sh, -c, 'trap "" TERM; echo up; while :; do sleep 1; done'], ready: { log: ^up }, depends_on: { db: { condition: service_healthy } } }
  scraper: { command: [sh, -c, '${says('scraper')}'], ready: { log: ^up }, depends_on: { app: { condition: service_healthy } } }
`,
  });
  await bulkhead.ready();
  expect((await bulkhead.stop()).code).toBe(14);
  expect(readFileSync(join(bulkhead.folder, 'order'), 'utf8')).toBe('scraper\napp\ndb\n');
  expect(bulkhead.output()).toContain('had to kill deaf');
});

test('law 23: a second TERM hurries once, and a third, HUP and USR2 while it stops change nothing', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  deaf: { command: [sh, -c, 'trap "echo asked-$$((1+1))" TERM; echo up; while :; do sleep 0.05; done'], ready: { log: ^up } }
  other: { ${STAYS} }
`,
  });
  await bulkhead.ready();
  bulkhead.kill('SIGTERM');
  await bulkhead.says('asked-2');
  bulkhead.kill('SIGHUP');
  bulkhead.kill('SIGUSR2');
  bulkhead.kill('SIGTERM');
  await bulkhead.says('hurrying');
  bulkhead.child.kill('SIGTERM');
  expect(await bulkhead.finished).toEqual({ code: 14, signal: null });
  expect(bulkhead.log('deaf').match(/asked-2/g)).toHaveLength(1);
  expect(bulkhead.output()).not.toContain('reloaded');
});

test('law 24: a stop ends commands that people have running, also one that ignores its signal', async () => {
  await using bulkhead = await startSupervisor({ plan: `version: 1\nservices: { app: { ${STAYS} } }` });
  await bulkhead.ready();
  const obedient = bulkhead.run('exec', 'app', '--', 'sleep', '1003');
  const deaf = bulkhead.run('exec', 'app', '--', 'sh', '-c', 'trap "" TERM; while :; do sleep 1004; done');
  await eventually(
    'both run',
    () => listDescendants(bulkhead.pid).filter(({ argv }) => /^sleep 100[34]$/.test(argv)).length === 2,
  );
  const pids = listDescendants(bulkhead.pid).map(({ pid }) => pid);
  expect((await bulkhead.stop()).signal).toBe(null);
  expect((await Promise.all([obedient, deaf])).map(({ code }) => code)).not.toContain(0);
  await eventually('all of them are gone', () => !pids.some((pid) => existsSync(`/proc/${pid}`)));
});

test('law 25: a command run beside a service ends with its own code, or with 128 and its signal', async () => {
  await using bulkhead = await startSupervisor({ plan: `version: 1\nservices: { app: { ${STAYS} } }` });
  await bulkhead.ready();
  const exec = async (script: string) => (await bulkhead.run('exec', 'app', '--', 'sh', '-c', script)).code;
  for (const code of [0, 1, 78, 127, 255]) expect(await exec(`exit ${code}`)).toBe(code);
  expect(await exec('kill -9 $$')).toBe(137);
  expect(await exec('kill -SEGV $$')).toBe(139);
});

test('law 35: one reload takes coupled changes over at once, stops what was removed, and leaves the rest alone', async () => {
  const plan = (text: string): string => `version: 1\nservices:\n  steady: { ${STAYS} }\n${text}`;
  await using bulkhead = await startSupervisor({
    plan: plan(`
  one: { ${STAYS}, environment: { PAIR: old } }
  two: { ${STAYS}, environment: { PAIR: old }, depends_on: [one] }
  removed: { command: [sleep, '1005'] }
  patient: { ${STAYS}, stop_grace_period: 5s }
`),
  });
  await bulkhead.ready();
  const before = await bulkhead.status();
  writeFileSync(
    join(bulkhead.folder, 'plan.yaml'),
    plan(`
  one: { ${STAYS}, environment: { PAIR: new } }
  two: { ${STAYS}, environment: { PAIR: new }, depends_on: [one] }
  patient: { ${STAYS}, stop_grace_period: 6s }
`),
  );
  bulkhead.kill('SIGHUP');
  await bulkhead.says('reloaded:');
  await eventually('both are there anew', async () =>
    (await Promise.all([statusOf(bulkhead, 'one'), statusOf(bulkhead, 'two')])).every(
      ({ generation, status }) => generation === 2 && status === 'ready',
    ),
  );
  const after = await bulkhead.status();
  const pidsOf = ({ services }: typeof before) =>
    Object.fromEntries(services.map(({ name, pid }) => [name, pid]));
  expect(pidsOf(after).steady).toBe(pidsOf(before).steady);
  expect(pidsOf(after).patient).toBe(pidsOf(before).patient);
  expect(after.services.map(({ name }) => name)).not.toContain('removed');
  expect(listDescendants(bulkhead.pid).map(({ argv }) => argv)).not.toContain('sleep 1005');
});

test('law 36: a critical service that a person restarts and stops ends no container and counts no failure', async () => {
  await using bulkhead = await startSupervisor({
    plan: `version: 1\nservices: { app: { ${STAYS}, critical: true, restart: 'on-failure:0' } }`,
  });
  await bulkhead.ready();
  for (const verb of ['restart', 'stop', 'start', 'restart']) {
    expect((await bulkhead.run(verb, 'app')).code).toBe(0);
  }
  expect(await statusOf(bulkhead, 'app')).toMatchObject({ status: 'ready', restarts: 0, generation: 4 });
});
