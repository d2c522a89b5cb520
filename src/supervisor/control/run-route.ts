import type { ServerResponse } from 'node:http';
import type { RunOutput } from '../../protocol/control.ts';
import { type LineStream, openLineStream } from './line-stream.ts';
import { badRequest, isObject, type JsonObject } from './request-body.ts';
import type { Rights } from './rights.ts';
import type { ControlTarget } from './target.ts';

const KEY = /^[A-Za-z][A-Za-z0-9]*$/;

/** Runs one of our own programs; its reports as they come, its exit code last. */
export async function runProgramFor(
  target: ControlTarget,
  body: JsonObject,
  response: ServerResponse,
  { programs }: Rights,
): Promise<void> {
  const program = programs.find((name) => name === body.program);
  if (!program) throw badRequest(`"program" must be one of ${programs.join(', ')}`);
  const input = readInput(body.input ?? {});
  const left = new AbortController();
  response.once('close', () => left.abort());
  let stream: LineStream | undefined;
  // The first bytes leave with the first report, so that a refusal can still be a proper error answer.
  const send = (output: RunOutput) => {
    stream ??= openLineStream(response);
    void stream.send(output);
    return stream;
  };
  const code = await target.run(program, input, send, left.signal);
  send({ type: 'exit', code }).end();
}

function readInput(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) throw badRequest('"input" must be an object');
  const entries: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (!KEY.test(key) || typeof text !== 'string')
      throw badRequest('"input" must be texts under plain names');
    entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}
