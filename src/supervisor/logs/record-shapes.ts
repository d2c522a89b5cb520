/**
 * What a line is as one JSON record, in the names of those who read it: pino's, the Elastic Common Schema's
 * (ecs-logging: https://www.elastic.co/guide/en/ecs-logging/overview), or OpenTelemetry's (the JSON form of OTLP, one
 * request a line, as its file receivers read it).
 */
import type { LogFormat } from '../../config/plan.ts';
import type { LogLine } from '../../protocol/control.ts';
import { levelWord } from '../../protocol/levels.ts';
import type { Structured } from '../../protocol/structured.ts';

/** The attempt of a job that writes the lines of a stream. */
export interface JobMark {
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
}

/** Whose lines they are. */
export interface Origin {
  readonly service: string;
  readonly stream: LogLine['stream'];
  readonly pid: number | undefined;
  readonly job: JobMark | undefined;
}

/** `now`: of a line that does not say its own time, ms since the epoch. */
type Shape = (origin: Origin, line: Structured, now: number, cut: boolean) => object;

const INFO = 30;
const HEX_TRACE = /^[0-9a-f]{32}$/;
const HEX_SPAN = /^[0-9a-f]{16}$/;
/** Deeper values are written as text. */
const DEEPEST = 10;

/** The message is the last text of each, so that plain lines can be copied into it. */
export const RECORD_SHAPES = { json: pinoRecord, ecs: ecsRecord, otel: otelRecord } satisfies Record<
  Exclude<LogFormat, 'text'>,
  Shape
>;

function pinoRecord(
  origin: Origin,
  { level, time, msg, rest }: Structured,
  now: number,
  cut: boolean,
): object {
  const { job } = origin;
  const record = fields({
    level: level ?? INFO,
    time: time ?? now,
    ...(origin.pid === undefined ? {} : { pid: origin.pid }),
    service: origin.service,
    ...(job === undefined ? {} : { job_id: job.id, attempt: job.attempt }),
    stream: origin.stream,
  });
  for (const [key, value] of Object.entries(rest)) {
    // Which service it was is ours to say; what the service calls so keeps its value under another name.
    const isOurs = key === 'service' || key === 'stream' || (job && (key === 'job_id' || key === 'attempt'));
    record[isOurs ? `its_${key}` : key] = value;
  }
  if (cut) record.truncated = true;
  if (msg !== undefined) record.msg = msg;
  return record;
}

function ecsRecord(
  origin: Origin,
  { level, time, msg, rest }: Structured,
  now: number,
  cut: boolean,
): object {
  const { job } = origin;
  const { pid = origin.pid, hostname, event, err, name, trace_id, span_id, ...others } = rest;
  const ours = {
    '@timestamp': new Date(possible(time, now)).toISOString(),
    'log.level': levelWord(level ?? INFO).toLowerCase(),
    'ecs.version': '8.11.0',
    ...(pid === undefined ? {} : { 'process.pid': pid }),
    ...(hostname === undefined ? {} : { 'host.hostname': hostname }),
    'service.name': origin.service,
    // ECS has no field for these; `labels` is where it wants what is one's own.
    labels: fields({
      stream: origin.stream,
      ...(job === undefined ? {} : { job_id: job.id, attempt: String(job.attempt) }),
    }),
    ...(event === undefined ? {} : { 'event.action': event }),
    ...(name === undefined ? {} : { 'log.logger': name }),
    ...(trace_id === undefined ? {} : { 'trace.id': trace_id }),
    ...(span_id === undefined ? {} : { 'span.id': span_id }),
    ...errorFields(err, 'error', 'stack_trace'),
  };
  const record = fields(ours);
  for (const [key, value] of Object.entries(others)) {
    record[Object.hasOwn(ours, key) || key === 'message' ? `its_${key}` : key] = value;
  }
  if (cut) record.truncated = true;
  if (msg !== undefined) record.message = msg;
  return record;
}

function otelRecord(
  origin: Origin,
  { level, time, msg, rest }: Structured,
  now: number,
  cut: boolean,
): object {
  const { job } = origin;
  const { pid = origin.pid, hostname, event, err, trace_id, span_id, ...others } = rest;
  const hasTrace = typeof trace_id === 'string' && HEX_TRACE.test(trace_id);
  const hasSpan = typeof span_id === 'string' && HEX_SPAN.test(span_id);
  const attributes = fields({
    'log.iostream': origin.stream,
    ...(job === undefined ? {} : { job_id: job.id, attempt: job.attempt }),
    ...(event === undefined ? {} : { 'event.name': event }),
    ...errorFields(err, 'exception', 'stacktrace'),
    ...others,
    ...(hasTrace || trace_id === undefined ? {} : { trace_id }),
    ...(hasSpan || span_id === undefined ? {} : { span_id }),
    ...(cut ? { truncated: true } : {}),
  });
  const resource = fields({
    'service.name': origin.service,
    ...(hostname === undefined ? {} : { 'host.name': hostname }),
    ...(pid === undefined ? {} : { 'process.pid': pid }),
  });
  const record = {
    timeUnixNano: `${Math.round(possible(time, now))}000000`,
    severityNumber: severityOf(level ?? INFO),
    severityText: levelWord(level ?? INFO),
    ...(hasTrace ? { traceId: trace_id } : {}),
    ...(hasSpan ? { spanId: span_id } : {}),
    attributes: attributesOf(attributes, 0),
    ...(msg === undefined ? {} : { body: { stringValue: msg } }),
  };
  const scopeLogs = [{ scope: { name: 'bulkhead' }, logRecords: [record] }];
  return { resourceLogs: [{ resource: { attributes: attributesOf(resource, 0) }, scopeLogs }] };
}

/** Of a Date, in ms: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const LATEST = 8.64e15;

function possible(time: number | undefined, now: number): number {
  return time !== undefined && Math.abs(time) <= LATEST ? time : now;
}

/** Without a prototype a field named __proto__ is a field like any other. */
function fields(given: object): Record<string, unknown> {
  return Object.assign(Object.create(null), given);
}

/** Pino's `err`, and an Error of our own. */
function errorFields(err: unknown, word: 'error' | 'exception', stackWord: string): object {
  if (err === undefined) return {};
  if (typeof err !== 'object' || err === null) return { [`${word}.message`]: err };
  const { type, name, message, stack } = err as Record<string, unknown>;
  return {
    ...(type === undefined && name === undefined ? {} : { [`${word}.type`]: type ?? name }),
    ...(message === undefined ? {} : { [`${word}.message`]: message }),
    ...(stack === undefined ? {} : { [`${word}.${stackWord}`]: stack }),
  };
}

/** Of the logs data model: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
function severityOf(level: number): number {
  if (level >= 60) return 21;
  if (level >= 50) return 17;
  if (level >= 40) return 13;
  if (level >= 30) return 9;
  return level >= 20 ? 5 : 1;
}

function attributesOf(values: object, depth: number): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value, depth) }));
}

/** AnyValue of OTLP, whose JSON form writes 64-bit integers as text. */
function anyValue(value: unknown, depth: number): object {
  if (value === null || value === undefined) return {};
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (typeof value !== 'object') return { stringValue: String(value) };
  if (depth >= DEEPEST) return { stringValue: 'nested too deep' };
  if (Array.isArray(value)) return { arrayValue: { values: value.map((each) => anyValue(each, depth + 1)) } };
  return { kvlistValue: { values: attributesOf(value, depth + 1) } };
}
