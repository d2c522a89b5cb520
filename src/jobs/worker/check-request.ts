/** A JobsRequest as it came from people, by way of PID 1, which reads nothing of it. */
import type { JobState, JobsRefusal, JobsRequest } from '../../protocol/jobs.ts';
import { refuse } from './refuse.ts';

const STATES: ReadonlySet<JobState> = new Set<JobState>([
  'created',
  'retry',
  'active',
  'completed',
  'cancelled',
  'failed',
]);
const MOST_LISTED = 200;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type Word = 'text' | 'number' | 'uuid' | 'states' | 'any';

const WORDS: Readonly<Record<JobsRequest['op'], Readonly<Record<string, Word>>>> = {
  add: {
    type: 'text',
    data: 'any',
    priority: 'number',
    startAfter: 'text',
    idempotencyKey: 'text',
    singletonKey: 'text',
    parent: 'text',
  },
  get: { id: 'uuid' },
  list: { state: 'states', type: 'text', limit: 'number', cursor: 'text' },
  cancel: { id: 'uuid' },
  retry: { id: 'uuid' },
  remove: { id: 'uuid' },
  redrive: { type: 'text' },
  pause: { type: 'text' },
  resume: { type: 'text' },
  status: {},
};
const REQUIRED: Readonly<Partial<Record<JobsRequest['op'], string>>> = {
  add: 'type',
  get: 'id',
  cancel: 'id',
  retry: 'id',
  remove: 'id',
};

/** The request, or what is wrong with it. */
export function checkRequest(value: unknown): JobsRequest | JobsRefusal {
  if (typeof value !== 'object' || value === null)
    return refuse('bad-request', 'a request must be an object');
  const fields = value as Readonly<Record<string, unknown>>;
  const { op } = fields;
  if (typeof op !== 'string' || !isOp(op)) {
    return refuse('bad-request', `op must be one of ${Object.keys(WORDS).join(', ')}`);
  }
  for (const [name, field] of Object.entries(fields)) {
    const word = name === 'op' ? undefined : WORDS[op][name];
    if (name === 'op' || field === undefined) continue;
    if (word === undefined) return refuse('bad-request', `${op} knows no ${JSON.stringify(name)}`);
    const problem = problemOf(word, field);
    if (problem !== undefined) return refuse('bad-request', `${name} must be ${problem}`);
  }
  const needed = REQUIRED[op];
  if (needed !== undefined && fields[needed] === undefined) {
    return refuse('bad-request', `${op} needs ${needed}`);
  }
  const { limit } = fields;
  if (
    limit !== undefined &&
    !(Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MOST_LISTED)
  ) {
    return refuse('bad-request', `limit must be a whole number from 1 to ${MOST_LISTED}`);
  }
  return value as JobsRequest;
}

function isOp(op: string): op is JobsRequest['op'] {
  return Object.hasOwn(WORDS, op);
}

function problemOf(word: Word, value: unknown): string | undefined {
  switch (word) {
    case 'text':
      return typeof value === 'string' ? undefined : 'a text';
    case 'number':
      return typeof value === 'number' ? undefined : 'a number';
    case 'uuid':
      return typeof value === 'string' && UUID.test(value) ? undefined : "a job's id";
    case 'states':
      return Array.isArray(value) && value.every((each) => STATES.has(each))
        ? undefined
        : `a list of ${[...STATES].join(', ')}`;
    case 'any':
      return undefined;
  }
}
