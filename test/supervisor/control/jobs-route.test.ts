import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { JobsAnswer, JobsRequest } from '../../../src/protocol/jobs.ts';
import { fakeTarget, openControl } from '../../support/control-target.ts';

function post(socketPath: string, path: string, body: unknown) {
  return new Promise<{ status: number; value: object; retryAfter: string | undefined }>((resolve, reject) => {
    const asking = request({ socketPath, method: 'POST', path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          value: JSON.parse(text),
          retryAfter: response.headers['retry-after'],
        }),
      );
    });
    asking.on('error', reject);
    asking.end(JSON.stringify(body));
  });
}

const REFUSED: JobsAnswer = { ok: false, code: 'singleton', message: 'one runs', jobId: 'x' };
const AWAY: JobsAnswer = { ok: false, code: 'worker-away', message: 'away', retryAfter: 1 };

describe('POST /v1/jobs', () => {
  test('goes to the worker as it is, and its answer comes back as it is, a refusal too', async () => {
    const asked: JobsRequest[] = [];
    await using control = await openControl(
      fakeTarget({
        jobs: async (about) => {
          asked.push(about);
          return REFUSED;
        },
      }),
    );
    const about = { op: 'add', type: 'scrape', data: { text: 'é'.repeat(30_000) }, new: 1 };
    expect(await post(control.path, '/v1/jobs', about)).toMatchObject({ status: 200, value: REFUSED });
    expect(asked).toEqual([about]);
  });

  test('says 503 where no worker could answer, and when to ask again', async () => {
    await using control = await openControl(fakeTarget({ jobs: async () => AWAY }));
    expect(await post(control.path, '/v1/jobs', { op: 'status' })).toEqual({
      status: 503,
      value: AWAY,
      retryAfter: '1',
    });
  });

  test('has a bound, and asks something', async () => {
    await using control = await openControl(fakeTarget());
    expect(await post(control.path, '/v1/jobs', { op: 'add', data: 'x'.repeat(200_000) })).toMatchObject({
      status: 413,
    });
    const deep = JSON.parse('['.repeat(3000) + ']'.repeat(3000));
    expect(await post(control.path, '/v1/jobs', { op: 'add', data: deep })).toMatchObject({ status: 400 });
    expect(await post(control.path, '/v1/jobs', {})).toMatchObject({ status: 400 });
  });
});

test('a sink gets its message, and of its worst alert what is text as variables, without a NUL', async () => {
  const target = fakeTarget();
  await using control = await openControl(target);
  const description = 'x'.repeat(200_000);
  const message = { status: 'firing', service: 'a\0pp', description, value: 3, alerts: [] };
  expect(await post(control.path, '/v1/alerts/tell', { sink: 'pager', message })).toMatchObject({
    status: 200,
    value: { schemaVersion: 1, ok: false, error: 'exit 3' },
  });
  const env = {
    BULKHEAD_ALERT_STATUS: 'firing',
    BULKHEAD_ALERT_SERVICE: 'app',
    BULKHEAD_ALERT_DESCRIPTION: description.slice(0, 4096),
  };
  expect(target.asked).toEqual([`tell pager ${JSON.stringify(message)} ${JSON.stringify(env)}`]);
  expect(await post(control.path, '/v1/alerts/tell', { sink: 'pager', message: 'x' })).toMatchObject({
    status: 400,
  });
});

test('the socket of the API runs no command, and of our programs the one it offers', async () => {
  const target = fakeTarget();
  await using control = await openControl(target, { exec: false, programs: ['backup'] });
  expect(await post(control.path, '/v1/exec', { type: 'open' })).toMatchObject({ status: 403 });
  expect(await post(control.path, '/v1/runs', { program: 'restore' })).toMatchObject({ status: 400 });
  expect(target.asked).toEqual([]);
  expect(await post(control.path, '/v1/jobs', { op: 'status' })).toMatchObject({ status: 200 });
});
