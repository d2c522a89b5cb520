import type { ServerResponse } from 'node:http';
import type { Report } from '../../protocol/channel.ts';
import type { RunOutput } from '../../protocol/control.ts';
import type { KeptOrder, KeptRunsAnswer } from '../../protocol/kept-runs.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { RequestFailure, sendJson } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { type LineStream, openLineStream } from './line-stream.ts';
import { badRequest, isObject, type JsonObject, readObject } from './request-body.ts';
import type { Rights } from './rights.ts';
import type { ControlTarget } from './target.ts';

const KEY = /^[A-Za-z][A-Za-z0-9]*$/;
const ID = /^[\w-]{1,64}$/;

/** Runs one of our own programs; its reports as they come, its exit code last. It ends with its client, but a kept one. */
export async function runProgramFor(
  target: ControlTarget,
  body: JsonObject,
  response: ServerResponse,
  { programs }: Rights,
): Promise<void> {
  const program = programs.find((name) => name === body.program);
  if (!program) throw badRequest(`"program" must be one of ${programs.join(', ')}`);
  const input = readInput(body.input ?? {});
  const order = body.keep === undefined ? undefined : readOrder(body.keep);
  if (order !== undefined) {
    target.kept.begin(order, (hear, signal) => target.run(program, input, hear, signal));
    await tell(response, (hear, left) => target.kept.follow(order.id, hear, left));
    return;
  }
  // Commands that change something are kept: the others only look.
  const isLook = program === 'command';
  await tell(response, async (hear, left) => ({
    code: await target.run(program, input, hear, left, isLook),
  }));
}

export function listKept({ response, target }: Exchange): void {
  const answer: KeptRunsAnswer = { schemaVersion: SCHEMA_VERSION, runs: target.kept.list() };
  sendJson(response, 200, answer);
}

/** What is kept of a run, then the rest of it, as who asked for it would hear it. */
export async function followKept({ response, target, query }: Exchange): Promise<void> {
  const id = readId(query.get('id'));
  await tell(response, (hear, left) => target.kept.follow(id, hear, left));
}

export async function cancelKept({ request, response, target }: Exchange): Promise<void> {
  const { id } = await readObject(request, ['id']);
  if (!target.kept.cancel(readId(id)))
    throw new RequestFailure(409, 'finished', 'cannot end this run: it does not run');
  sendJson(response, 202, { schemaVersion: SCHEMA_VERSION, id });
}

type Exit = Omit<Extract<RunOutput, { readonly type: 'exit' }>, 'type'>;

/** @param run resolves with undefined where the client has left before its end */
async function tell(
  response: ServerResponse,
  run: (hear: (report: Report) => void, left: AbortSignal) => Promise<Exit | undefined>,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  let stream: LineStream | undefined;
  // The first bytes leave with the first report, so that a refusal can still be a proper error answer.
  const send = (output: RunOutput): LineStream => {
    stream ??= openLineStream(response);
    void stream.send(output);
    return stream;
  };
  const exit = await run(send, left.signal);
  if (exit !== undefined) send({ type: 'exit', ...exit }).end();
}

function readId(value: unknown): string {
  if (typeof value === 'string' && ID.test(value)) return value;
  throw badRequest('"id" must be the id of a run');
}

function readOrder(value: unknown): KeptOrder {
  if (!isObject(value)) throw badRequest('"keep" must be an object');
  return { id: readId(value.id), label: readTexts(value.label ?? {}, '"label"') };
}

function readInput(value: unknown): Readonly<Record<string, string>> {
  return readTexts(value, '"input"');
}

function readTexts(value: unknown, name: string): Readonly<Record<string, string>> {
  if (!isObject(value)) throw badRequest(`${name} must be an object`);
  const entries: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (!KEY.test(key) || typeof text !== 'string')
      throw badRequest(`${name} must be texts under plain names`);
    entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}
