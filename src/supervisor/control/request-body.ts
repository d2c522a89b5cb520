import type { IncomingMessage } from 'node:http';
import { RequestFailure } from './answers.ts';

const LARGEST_BODY = 64 * 1024;
/** A frame of `exec` carries 64 KB of bytes as base64, with room to spare. */
const LARGEST_LINE = 256 * 1024;

/** Leaving a body half read must not tear the connection: the refusal still has to travel back on it. */
const KEEP_OPEN = { destroyOnReturn: false };

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The whole body as a JSON object with known keys only; an empty body is an empty object.
 * @param keys undefined: any
 * @param largest bytes
 */
export async function readObject(
  request: IncomingMessage,
  keys: readonly string[] | undefined,
  largest = LARGEST_BODY,
): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator(KEEP_OPEN)) {
    size += chunk.length;
    if (size > largest) {
      throw new RequestFailure(
        413,
        'body-too-large',
        `cannot read the request: its body is over ${largest} bytes`,
      );
    }
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return text.trim() === '' ? {} : parseObject(text, keys);
}

/** Each line of the body as a JSON object, as it comes. */
export async function* readObjectLines(request: IncomingMessage): AsyncGenerator<JsonObject> {
  let rest = '';
  request.setEncoding('utf8');
  for await (const chunk of request.iterator(KEEP_OPEN)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LARGEST_LINE) throw badRequest(`a line of its body is over ${LARGEST_LINE} characters`);
    for (const line of lines) if (line !== '') yield parseObject(line);
  }
  if (rest !== '') yield parseObject(rest);
}

export function badRequest(cause: string): RequestFailure {
  return new RequestFailure(400, 'bad-request', `cannot read the request: ${cause}`);
}

function parseObject(text: string, keys?: readonly string[]): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('its body is not JSON');
  }
  if (!isObject(value)) throw badRequest('its body is not a JSON object');
  const unknown = Object.keys(value).find((key) => keys !== undefined && !keys.includes(key));
  if (unknown !== undefined) throw badRequest(`unknown key "${unknown}"`);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** A boolean of a body, or undefined where it is not given. */
export function readBoolean(body: JsonObject, key: string): boolean | undefined {
  const value = body[key];
  if (value === undefined || typeof value === 'boolean') return value;
  throw badRequest(`"${key}" must be true or false`);
}
