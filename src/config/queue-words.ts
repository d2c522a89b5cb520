/** `queue:` where jobs are kept, and how many of them run. */
import { duration, flag, integer, oneOf, systemUser } from './scalars.ts';
import { parsed, type Shape, VARIABLE } from './shape.ts';
import { type Stanza, stanza } from './words.ts';

const redisUrl: Shape<string> = parsed(
  'the address of a Redis: redis://HOST:6379',
  (written) => (/^rediss?:\/\/[^/]/.test(written) && URL.canParse(written) ? written : undefined),
  { type: 'string', pattern: '^rediss?://|\\$|^$' },
  (_, written) => (/^[\w.-]+(:\d+)?$/.test(written) ? `write redis://${written}` : undefined),
);

/** It stands in keys, and in what runs in Redis. */
const prefix: Shape<string> = parsed(
  'letters, digits, ".", "_" and "-", at most 64 of them',
  (written) => (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(written) ? written : undefined),
  { anyOf: [{ type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }, VARIABLE] },
);

export const queueWords = {
  store: {
    shape: oneOf('auto', 'postgres', 'redis', 'memory'),
    doc: 'Where jobs are kept. auto: Redis where redis_url says one, else PostgreSQL where there is a database, else memory. What cannot be reached is stood in for by memory with a journal on the volume, and status says so.',
    default: 'auto',
  },
  redis_url: { shape: redisUrl, doc: 'The Redis, a secret. Default: REDIS_URL.' },
  prefix: {
    shape: prefix,
    doc: 'What the names of all its keys in Redis begin with. Containers that share jobs have the same one; products that share a Redis must not. Default: bulkhead- and the name of the plan; a second product of that name is then refused.',
    examples: ['video-ia-staging'],
  },
  require_durable: {
    shape: flag,
    doc: 'true: jobs are refused while they could only be kept in memory and its journal.',
    default: false,
  },
  concurrency: {
    shape: integer(0, 1000),
    doc: 'Most attempts of all types at once, in this container. 0: this one only takes jobs in, others run them. Default: those of all types together.',
  },
  max_waiting: {
    shape: integer(1, 10_000_000),
    doc: 'More waiting jobs than this are refused.',
    default: 100_000,
  },
  keep: {
    shape: stanza(
      {
        completed: { shape: duration, doc: 'How long jobs that went well can be looked at.', default: '7d' },
        failed: { shape: duration, doc: 'How long those that failed or were cancelled can.', default: '30d' },
        most: {
          shape: integer(0, 10_000_000),
          doc: 'How many finished ones at most; the oldest go first.',
          default: 10_000,
        },
      },
      { aliases: { success: '`completed`', failures: '`failed`', limit: '`most`', max: '`most`' } },
    ),
    doc: 'How long finished jobs are kept.',
  },
  drain: {
    shape: duration,
    doc: 'When everything stops: how long jobs may go on before they are stopped and put back, as far as BULKHEAD_STOP_TIMEOUT allows.',
    default: '5s',
  },
  user: {
    shape: systemUser,
    doc: 'The system user of the worker program, when Bulkhead is root. Jobs have users of their own.',
    default: 'api',
  },
} as const;

export type QueueStanza = Stanza<typeof queueWords>;

export const queue = stanza(queueWords, {
  aliases: {
    backend: '`store`',
    driver: '`store`',
    type: '`store`',
    redis: '`redis_url`',
    url: '`redis_url`',
    durable: '`require_durable`',
    requireDurable: '`require_durable`',
    workers: '`concurrency`',
    max_concurrent: '`concurrency`',
    limit: '`max_waiting`',
    namespace: '`prefix`',
    key_prefix: '`prefix`',
    keyPrefix: '`prefix`',
    max_length: '`max_waiting`',
    retention: '`keep`',
  },
  refused: {
    timeout: 'each type of job has its own: jobs: { NAME: { timeout: … } }',
    retries: 'each type of job has its own: jobs: { NAME: { retries: … } }',
    priority: 'each type of job has its own: jobs: { NAME: { priority: … } }',
  },
  deeper: { completed: 'keep', failed: 'keep', most: 'keep' },
});
