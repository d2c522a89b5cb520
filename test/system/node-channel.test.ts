import { expect, test } from 'vitest';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const node = (body: string): string[] => [process.execPath, '-e', body];

test("process.send('ready') is heard among other messages, and the channel stays open after it", async () => {
  const body = `
    process.send({ a: 1 }); process.send('x'.repeat(200000)); process.send('"ready"'); process.send('ready');
    process.on('disconnect', () => process.exit(7));
    const id = setInterval(() => process.send('ready'), 5);
    setTimeout(() => { clearInterval(id); process.exit(0) }, 100)`;
  const child = startChild(node(body), { nodeChannel: true });
  await child.ready;
  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.told.filter((each) => each === 'ready')).toHaveLength(1);
});

test('one that says it and ends at once is told ready before its exit', async () => {
  const child = startChild(node("process.send('ready', () => process.exit(3))"), { nodeChannel: true });
  expect((await child.exited).code).toBe(3);
  expect(child.told.filter((each) => !each.endsWith('ended'))).toEqual(['ready', 'exited']);
});

test('one that says everything else is never ready', async () => {
  const child = startChild(
    node("process.send('Ready'); process.send(['ready']); process.send({ ready: true })"),
    {
      nodeChannel: true,
    },
  );
  expect((await child.exited).code).toBe(0);
  expect(child.told).not.toContain('ready');
});

test('what a Node child starts neither has the channel nor knows of it', async () => {
  const look = 'ls -l /proc/self/fd | grep -c socket; env | grep -c NODE_CHANNEL';
  const body = `
    require('child_process').spawnSync('sh', ['-c', ${JSON.stringify(look)}], { stdio: ['ignore', 'inherit', 'inherit'] });
    process.send('ready')`;
  const child = startChild(node(body), { nodeChannel: true });
  await child.ready;
  expect((await child.output).stdout).toBe('0\n0\n');
});

test('a grandchild that a shell lets have it holds up nothing', async () => {
  const argv = [
    'sh',
    '-c',
    `sleep 1000 & exec ${process.execPath} -e "process.send('ready', () => process.exit(0))"`,
  ];
  const child = startChild(argv, { nodeChannel: true, drainMs: 10 });
  await child.exited;
  expect(child.told.filter((each) => !each.endsWith('ended'))).toEqual(['ready', 'exited']);
  child.process?.signal('SIGKILL', 'everything');
  await child.emptied;
});

test('without it a child has no channel', async () => {
  const child = startChild(node('console.log(typeof process.send)'));
  expect((await child.output).stdout).toBe('undefined\n');
});
