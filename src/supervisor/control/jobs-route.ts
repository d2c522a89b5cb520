import type { IncomingMessage, ServerResponse } from 'node:http';
import { isDeeperThan } from '../../base/nesting.ts';
import type { JobsRequest } from '../../protocol/jobs.ts';
import { sendJson } from './answers.ts';
import { badRequest, readObject } from './request-body.ts';
import type { ControlTarget } from './target.ts';

/** 64 KB of data, and what stands around it; escapes make some texts longer. */
const LARGEST_REQUEST = 160 * 1024;

/** Data may be nested 100 deep: the worker says so better, of what can be handed to it at all. */
const DEEPEST = 1000;

/** Hands a request about jobs to the worker, which knows what is wrong with one; a refusal of its is an answer too. */
export async function askAboutJobs(
  target: ControlTarget,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readObject(request, undefined, LARGEST_REQUEST);
  if (typeof body.op !== 'string') throw badRequest('"op" must say what is asked');
  if (isDeeperThan(DEEPEST, body)) throw badRequest('it is nested too deep');
  // The worker looks at every word of it.
  const answer = await target.jobs(body as unknown as JobsRequest);
  const isAway = !answer.ok && answer.code === 'worker-away';
  if (isAway && answer.retryAfter !== undefined) response.setHeader('retry-after', answer.retryAfter);
  sendJson(response, isAway ? 503 : 200, answer);
}
