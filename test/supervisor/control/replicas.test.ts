import { request } from 'node:http';
import { setImmediate as allSaid } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ChangeAnswer, ScaleAnswer } from '../../../src/protocol/control.ts';
import { restartRolling } from '../../../src/supervisor/control/rolling.ts';
import { manualClock } from '../../support/clock.ts';
import { type FakeTarget, fakeTarget, openControl } from '../../support/control-target.ts';
import { exampleService } from '../../support/product.ts';

function post<Answer>(socketPath: string, path: string, body: unknown): Promise<Answer & { status: number }> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, method: 'POST', path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, ...JSON.parse(text) }));
    });
    asking.on('error', reject);
    asking.end(JSON.stringify(body));
  });
}

const check = { up: true, failures: 0, threshold: 3, lastError: undefined, durationMs: 1, at: undefined };
const web = (number: number, changes = {}) =>
  exampleService(`web-${number}`, { replicaOf: 'web', pid: 100 + number, check, ...changes });

/** Three replicas and one service beside them. */
function threeOfThem(overrides: Parameters<typeof fakeTarget>[0] = {}): FakeTarget {
  const target = fakeTarget(overrides);
  target.setProduct({ ...target.product(), services: [web(1), web(2), web(3), exampleService('app')] });
  return target;
}

/** A restart as a real service makes it, a little later each. */
function obey(target: FakeTarget, fails: string | undefined): void {
  target.onAsked = (what) => {
    const [, ...names] = what.split(' ');
    for (const name of names) {
      setImmediate(() => {
        target.set(name, { status: 'stopping' });
        target.set(name, { status: 'starting', generation: 2 });
        target.set(name, { status: name === fails ? 'backoff' : 'ready' });
      });
    }
  };
}

describe('one name', () => {
  test('means all replicas, each once', async () => {
    const target = threeOfThem();
    obey(target, undefined);
    await using control = await openControl(target);
    const { changes } = await post<ChangeAnswer>(control.path, '/v1/services/restart', {
      names: ['web-2', 'web', 'app'],
    });
    expect(target.asked).toEqual(['restart web-2 web-1 web-3 app']);
    expect(changes.map(({ name, outcome }) => `${outcome} ${name}`)).toEqual([
      'changed web-2',
      'changed web-1',
      'changed web-3',
      'changed app',
    ]);
  });

  test('that nobody has is refused, with the names there are', async () => {
    await using control = await openControl(threeOfThem());
    const { error } = await post<{ error: { remedy: string; exitCode: number } }>(
      control.path,
      '/v1/services/stop',
      { names: ['worker'] },
    );
    expect(error).toMatchObject({ exitCode: 4, remedy: 'use one of: web, web-1, web-2, web-3, app' });
  });
});

describe('a rolling restart', () => {
  test('asks for one when the one before it is ready', async () => {
    const target = threeOfThem();
    const ready: string[] = [];
    obey(target, undefined);
    const obeyed = target.onAsked;
    target.onAsked = (what) => {
      const others = target.product().services.filter(({ status }) => status !== 'ready');
      ready.push(`${what} beside ${others.length} that are not ready`);
      obeyed(what);
    };
    await using control = await openControl(target);
    const answer = await post<ChangeAnswer>(control.path, '/v1/services/restart', {
      names: ['web'],
      rolling: true,
    });
    expect(answer.exitCode).toBe(0);
    expect(ready).toEqual([1, 2, 3].map((number) => `restart web-${number} beside 0 that are not ready`));
  });

  test('stops at the first that is not, and leaves the others alone', async () => {
    const target = threeOfThem();
    obey(target, 'web-2');
    await using control = await openControl(target);
    const { changes, exitCode } = await post<ChangeAnswer>(control.path, '/v1/services/restart', {
      names: ['web'],
      rolling: true,
    });
    expect(target.asked).toEqual(['restart web-1', 'restart web-2']);
    expect(exitCode).toBe(1);
    expect(changes.map(({ outcome }) => outcome)).toEqual(['changed', 'failed', 'untouched']);
  });

  test('stops as well at one that takes too long', async () => {
    const target = threeOfThem();
    await using control = await openControl(target);
    const { changes, exitCode } = await post<ChangeAnswer>(control.path, '/v1/services/restart', {
      names: ['web'],
      rolling: true,
      timeout: 5,
    });
    expect(target.asked).toEqual(['restart web-1']);
    expect(exitCode).toBe(124);
    expect(changes.map(({ outcome }) => outcome)).toEqual(['pending', 'untouched', 'untouched']);
  });

  test('looks a moment later at one that has no check: it may have crashed at once', async () => {
    const clock = manualClock();
    const target = threeOfThem();
    target.setProduct({
      ...target.product(),
      services: [1, 2, 3].map((number) => web(number, { check: undefined })),
    });
    target.onAsked = (what) => target.set(what.split(' ')[1] ?? '', { generation: 2 });
    const change = { action: 'restart', names: ['web'], wait: true, timeout: 60_000 } as const;
    const rolled = restartRolling(target, clock, change, new AbortController().signal);
    await allSaid();
    expect(target.asked).toEqual(['restart web-1']);
    clock.advance(1000);
    await allSaid();
    expect(target.asked).toEqual(['restart web-1', 'restart web-2']);
    target.set('web-2', { status: 'backoff', reason: 'crashed (exit 1)' });
    clock.advance(1000);
    expect((await rolled).changes.map(({ outcome }) => outcome)).toEqual(['changed', 'failed', 'untouched']);
    expect(clock.armed).toBe(0);
  });

  test('ends with the client who asked for it', async () => {
    const target = threeOfThem();
    const left = Promise.withResolvers<void>();
    target.onAsked = () => left.resolve();
    await using control = await openControl(target);
    const asking = request({ socketPath: control.path, method: 'POST', path: '/v1/services/restart' });
    asking.on('error', () => undefined);
    asking.end(JSON.stringify({ names: ['web'], rolling: true }));
    await left.promise;
    asking.destroy();
    await control.server.close();
    expect(target.asked).toEqual(['restart web-1']);
  });

  test.each([
    ['/v1/services/restart', { names: ['web'], rolling: true, wait: false }],
    ['/v1/services/restart', { names: ['web'], rolling: 'yes' }],
    ['/v1/services/stop', { names: ['web'], rolling: true }],
  ])('%s %j is refused', async (path, body) => {
    const target = threeOfThem();
    await using control = await openControl(target);
    expect((await post(control.path, path, body)).status).toBe(400);
    expect(target.asked).toEqual([]);
  });
});

describe('one that a reload or a scaling takes away', () => {
  test.each([
    ['restart', 'failed', 1],
    ['stop', 'changed', 0],
  ])('while somebody waits for its %s has %s', async (verb, outcome, exitCode) => {
    const target = threeOfThem();
    target.onAsked = () => {
      setImmediate(() => {
        const left = target.product().services.filter(({ name }) => name !== 'web-3');
        target.setProduct({ ...target.product(), services: left });
        target.set('web-1', {});
      });
    };
    await using control = await openControl(target);
    const answer = await post<ChangeAnswer>(control.path, `/v1/services/${verb}`, { names: ['web-3'] });
    expect(answer).toMatchObject({
      exitCode,
      changes: [{ outcome, after: { reason: 'no longer in the plan' } }],
    });
  });
});

describe('scaling', () => {
  test('waits until new ones are ready and old ones are gone', async () => {
    const target = threeOfThem({
      scale: async () => {
        const { services } = target.product();
        const born = web(4, { status: 'starting', generation: 1 });
        target.setProduct({ ...target.product(), services: [...services, born] });
        target.set('web-3', { status: 'stopping' });
        setImmediate(() => {
          target.set('web-4', { status: 'ready' });
          const left = target.product().services.filter(({ name }) => name !== 'web-3');
          target.setProduct({ ...target.product(), services: left });
          target.set('web-1', {});
        });
        return [
          { service: 'web-4', action: 'start', reason: 'new in the plan' },
          { service: 'web-3', action: 'stop', reason: 'no longer in the plan' },
        ];
      },
    });
    await using control = await openControl(target);
    const answer = await post<ScaleAnswer>(control.path, '/v1/scale', { sizes: { web: 3 } });
    expect(answer.exitCode).toBe(0);
    expect(answer.changes).toMatchObject([
      { name: 'web-4', action: 'start', outcome: 'changed', after: { status: 'ready' } },
      { name: 'web-3', action: 'stop', outcome: 'changed', before: { status: 'ready' } },
    ]);
  });

  test('fails with one that does not come up', async () => {
    const target = threeOfThem({
      scale: async () => {
        setImmediate(() => target.set('web-3', { status: 'backoff' }));
        target.set('web-3', { status: 'starting' });
        return [{ service: 'web-3', action: 'start', reason: '' }];
      },
    });
    await using control = await openControl(target);
    const answer = await post<ScaleAnswer>(control.path, '/v1/scale', { sizes: { web: 3 } });
    expect(answer).toMatchObject({ exitCode: 1, changes: [{ outcome: 'failed' }] });
  });

  test('asks for all sizes at once, and says so when there is nothing to do', async () => {
    const target = threeOfThem();
    await using control = await openControl(target);
    const answer = await post<ScaleAnswer>(control.path, '/v1/scale', { sizes: { web: 3, api: 0 } });
    expect(answer).toMatchObject({ exitCode: 0, changes: [] });
    expect(target.asked).toEqual(['scale {"web":3,"api":0}']);
  });

  test.each([
    [{}],
    [{ sizes: {} }],
    [{ sizes: { web: -1 } }],
    [{ sizes: { web: 1.5 } }],
    [{ sizes: { web: '3' } }],
    [{ sizes: { web: 1001 } }],
    [{ sizes: [3] }],
  ])('%j is refused', async (body) => {
    const target = threeOfThem();
    await using control = await openControl(target);
    expect((await post(control.path, '/v1/scale', body)).status).toBe(400);
    expect(target.asked).toEqual([]);
  });
});
