import { afterEach, beforeEach, expect, test } from 'vitest';
import { post } from '../../src/alerts/post.ts';
import { openSinkServer, type SinkServer } from '../support/sink-server.ts';

let sink: SinkServer;
beforeEach(async () => {
  sink = await openSinkServer();
});
afterEach(() => sink[Symbol.asyncDispose]());

const send = (now = 0, patience = 30_000) =>
  post({ url: `${sink.url}/T0/key?token=x`, method: 'POST', headers: {}, body: 'é' }, () => now, patience);

test('what answers well is told', async () => {
  expect(await send()).toEqual({ ok: true, error: '', retryAfter: undefined });
  expect(sink.got[0]).toMatchObject({ path: '/T0/key?token=x', body: 'é' });
});

test('who hangs is given up, and nothing of the address but its host is said', async () => {
  sink.answer = () => undefined;
  const { host } = new URL(sink.url);
  expect((await send(0, 100)).error).toBe(`${host}: no answer within 0.1 s`);
  sink.answer = (response) => response.destroy();
  const { ok, error } = await send();
  expect([ok, error]).toEqual([false, expect.stringContaining(host)]);
  expect(error).not.toMatch(/key|token/);
});

test('a redirect is no delivery, and is not followed', async () => {
  sink.answer = (response) => response.writeHead(302, { location: `${sink.url}/elsewhere` }).end();
  expect((await send()).error).toContain('a redirect');
  expect(sink.got).toHaveLength(1);
});

test('Retry-After is seconds or a date', async () => {
  sink.answer = (response) => response.writeHead(503, { 'retry-after': '7' }).end();
  expect((await send()).retryAfter).toBe(7000);
  sink.answer = (response) =>
    response.writeHead(429, { 'retry-after': 'Thu, 01 Jan 1970 00:01:00 GMT' }).end();
  expect((await send(20_000)).retryAfter).toBe(40_000);
  sink.answer = (response) => response.writeHead(429, { 'retry-after': 'soon' }).end();
  expect((await send()).retryAfter).toBeUndefined();
});
