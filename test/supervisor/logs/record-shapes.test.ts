import { describe, expect, it } from 'vitest';
import type { LogFormat } from '../../../src/config/plan.ts';
import { openFixture, settle } from './fakes.ts';

const PINO =
  '{"level":50,"time":1700000000000,"pid":7,"hostname":"h","event":"pay","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","err":{"type":"TypeError","message":"no","stack":"at x"},"req":{"id":1.5,"ok":true,"tags":["a",null]},"msg":"failed"}\n';

async function shown(format: LogFormat, line: string): Promise<Record<string, unknown>> {
  const { attach, output } = openFixture({ format });
  attach('app').stdout.send(line);
  await settle();
  expect(output.lines).toHaveLength(1);
  return JSON.parse(output.lines[0] ?? '') as Record<string, unknown>;
}

// biome-ignore lint/suspicious/noExplicitAny: what OTLP looks like is what is tested
const otelOf = (record: any) => ({
  resource: Object.fromEntries(
    record.resourceLogs[0].resource.attributes.map(({ key, value }: { key: string; value: unknown }) => [
      key,
      value,
    ]),
  ),
  log: record.resourceLogs[0].scopeLogs[0].logRecords[0],
});

describe('in the names of the Elastic Common Schema', () => {
  it('a plain line has time, level, service and message', async () => {
    expect(await shown('ecs', 'a "b" \\ c\n')).toEqual({
      '@timestamp': '2026-01-01T00:00:00.000Z',
      'log.level': 'info',
      'ecs.version': '8.11.0',
      'service.name': 'app',
      labels: { stream: 'stdout' },
      message: 'a "b" \\ c',
    });
  });

  it('a record keeps its fields, those it has in common under the names of the schema', async () => {
    expect(await shown('ecs', PINO)).toMatchObject({
      '@timestamp': '2023-11-14T22:13:20.000Z',
      'log.level': 'error',
      'process.pid': 7,
      'host.hostname': 'h',
      'event.action': 'pay',
      'trace.id': '0af7651916cd43dd8448eb211c80319c',
      'error.type': 'TypeError',
      'error.message': 'no',
      'error.stack_trace': 'at x',
      req: { id: 1.5, ok: true, tags: ['a', null] },
      message: 'failed',
    });
  });

  it('what is ours to say is not said by a service', async () => {
    const record = await shown('ecs', '{"service.name":"other","ecs.version":"0","msg":"m"}\n');
    expect(record).toMatchObject({
      'service.name': 'app',
      'its_service.name': 'other',
      'its_ecs.version': '0',
    });
  });
});

describe('as OpenTelemetry', () => {
  it('a plain line is one request of OTLP with one record', async () => {
    const { resource, log } = otelOf(await shown('otel', 'hello\n'));
    expect(resource).toEqual({ 'service.name': { stringValue: 'app' } });
    expect(log).toEqual({
      timeUnixNano: '1767225600000000000',
      severityNumber: 9,
      severityText: 'INFO',
      attributes: [{ key: 'log.iostream', value: { stringValue: 'stdout' } }],
      body: { stringValue: 'hello' },
    });
  });

  it('a record’s fields are attributes with their types, its error an exception, its trace a trace', async () => {
    const { resource, log } = otelOf(await shown('otel', PINO));
    expect(resource).toMatchObject({ 'process.pid': { intValue: '7' }, 'host.name': { stringValue: 'h' } });
    expect(log).toMatchObject({
      timeUnixNano: '1700000000000000000',
      severityNumber: 17,
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      body: { stringValue: 'failed' },
    });
    expect(log.attributes).toContainEqual({ key: 'exception.type', value: { stringValue: 'TypeError' } });
    expect(log.attributes).toContainEqual({
      key: 'req',
      value: {
        kvlistValue: {
          values: [
            { key: 'id', value: { doubleValue: 1.5 } },
            { key: 'ok', value: { boolValue: true } },
            { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, {}] } } },
          ],
        },
      },
    });
  });
});

describe.each(['json', 'ecs', 'otel'] as const)('as %s', (format) => {
  it('hundreds of plain lines taken at once are the same as one by one', async () => {
    const { attach, output } = openFixture({ format });
    const { stdout } = attach('app');
    const lines = Array.from({ length: 500 }, (_, at) => `line ${at} $& of a block`);
    stdout.send(`${lines.join('\n')}\n`);
    await settle();
    const first = output.text;
    output.text = '';
    for (const line of lines) stdout.send(`${line}\n`);
    await settle();
    expect(first).toBe(output.text);
    expect(output.lines).toHaveLength(500);
    for (const line of output.lines) JSON.parse(line);
  });

  it.each([
    ['an impossible time', '{"time":1e300,"msg":"m"}\n'],
    ['nesting beyond all measure', `{"msg":"m","a":${'['.repeat(20_000)}${']'.repeat(20_000)}}\n`],
    ['a field named __proto__', '{"__proto__":{"level":1},"msg":"m"}\n'],
    ['no message at all', '{"a":1}\n'],
    ['other scripts', 'déjà 日本 😀\n'],
  ])('a line with %s is a record like any other', async (_what, line) => {
    expect(await shown(format, line)).toBeTypeOf('object');
  });

  it('a job’s lines carry its id', async () => {
    const { logs, output } = openFixture({ format });
    let send: (chunk: Buffer) => void = () => undefined;
    const pipe = {
      read: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      closeWithin: () => undefined,
    };
    const stdout = {
      ...pipe,
      read: (onChunk: (chunk: Buffer) => void) => {
        send = onChunk;
      },
    };
    logs.attach('scrape', 1, { stdout, stderr: pipe }, 7, { id: 'a1b2c3d4-0000', attempt: 2 });
    send(Buffer.from('fetched\n'));
    await settle();
    expect(output.lines[0]).toContain('a1b2c3d4-0000');
  });
});
