import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { tidyFacts } from '../src/browser/facts.ts';
import { describe, readAnswer } from '../src/describe.ts';
import { readAssignment } from '../src/job.ts';
import { wordsOf } from '../src/problem.ts';
import { readSettings } from '../src/settings.ts';
import { readAsked } from '../src/target.ts';

test('a job asks for a tool or an address of the web', () => {
  assert.deepEqual(readAsked({ tool: 17 }), { tool: 17 });
  assert.deepEqual(readAsked({ tool: '17' }), { tool: 17 });
  assert.deepEqual(readAsked({ url: 'HTTPS://Example.org' }), { url: 'https://example.org/' });
  const bad = [
    {},
    { tool: 0 },
    { tool: 1.5 },
    { tool: 'x' },
    { tool: 1, url: 'https://x.test' },
    { url: 'file:///etc/passwd' },
    { url: 'chrome://version' },
    { url: 'data:text/html,x' },
    { url: 'javascript:1' },
    { url: 'https://user:secret@x.test' },
    { url: ' https://x.test' },
    { url: '' },
    { url: 7 },
  ];
  for (const data of bad) assert.throws(() => readAsked(data), /cannot scrape/, JSON.stringify(data));
});

test('an assignment is the line of the supervisor, or the data alone', () => {
  assert.deepEqual(readAssignment('{"id":"x","type":"scrape","attempt":2,"data":{"tool":1}}'), {
    data: { tool: 1 },
  });
  assert.deepEqual(readAssignment('{"tool":1}'), { data: { tool: 1 } });
  assert.deepEqual(readAssignment('{"id":"x","data":null}'), { data: {} });
  for (const bad of ['', 'x', '3', 'null', '[1]']) {
    assert.throws(() => readAssignment(bad), /cannot read the assignment/, bad);
  }
});

test('settings have defaults, limits, and errors that name them', () => {
  const settings = readSettings({});
  assert.equal(settings.assets, '/data/assets');
  assert.equal(settings.pageTimeoutMs, 30_000);
  assert.equal(settings.deadlineMs, 90_000);
  assert.equal(settings.gemini, undefined);
  const tight = readSettings({ JOB_TIMEOUT: '20', SCRAPER_PAGE_TIMEOUT: '60', BULKHEAD_DATA: '/x' });
  assert.equal(tight.deadlineMs, 18_000, 'below the limit of the job');
  assert.equal(tight.pageTimeoutMs, 18_000);
  assert.equal(tight.assets, '/x/assets');
  assert.throws(
    () => readSettings({ SCRAPER_PAGE_TIMEOUT: 'soon' }),
    /cannot read SCRAPER_PAGE_TIMEOUT: "soon"/,
  );
  assert.throws(() => readSettings({ SCRAPER_MAX_PAGE_MB: '0' }), /SCRAPER_MAX_PAGE_MB/);
});

const KEY = 'AIza-not-a-real-key';
const asked: { url: string | undefined; key: unknown; body: string }[] = [];
let answer: { status: number; body: string };
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  asked.push({ url: request.url, key: request.headers['x-goog-api-key'], body });
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
after(() => server.close());

const gemini = (path = '') => ({
  key: KEY,
  baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}/`,
  model: 'gemini-x',
});
const facts = tidyFacts({ title: 'A tool', descriptions: ['Does it'], text: 'All of it' });
const said = (text: string) => JSON.stringify({ candidates: [{ content: { parts: [{ text }] } }] });

test('Gemini is asked in its own shape, with the key in a header alone', async () => {
  answer = { status: 200, body: said('{"en": "It  does.", "fr": "Il fait."}') };
  const described = await describe('Tool', facts, gemini('/proxy'), AbortSignal.timeout(5_000));
  assert.deepEqual(described, { en: 'It does.', fr: 'Il fait.' });
  const [call] = asked;
  assert.equal(call?.url, '/proxy/v1beta/models/gemini-x:generateContent');
  assert.equal(call?.key, KEY);
  assert.equal(JSON.parse(call?.body ?? '').contents[0].role, 'user');
  assert.ok(!`${call?.url}${call?.body}`.includes(KEY));
});

test('a failure of Gemini is told without the key', async () => {
  for (const [status, body] of [
    [429, `{"error": "quota of ${KEY}"}`],
    [500, KEY],
    [200, said('not json')],
    [200, said('{"en": "only"}')],
    [200, '{}'],
    [200, 'not json'],
  ] as const) {
    answer = { status, body };
    const failure = await describe('Tool', facts, gemini(), AbortSignal.timeout(5_000)).catch(wordsOf);
    assert.equal(typeof failure, 'string');
    assert.ok(!String(failure).includes(KEY), String(failure));
  }
});

test('what Gemini writes is bounded', () => {
  const long = JSON.stringify({ en: 'word '.repeat(1000), fr: 'mot\u0000 \n mot' });
  const { en, fr } = readAnswer({
    candidates: [{ content: { parts: [{ text: long.slice(0, 9) }, { text: long.slice(9) }] } }],
  });
  assert.ok(en.length <= 1_201);
  assert.equal(fr, 'mot mot');
});
