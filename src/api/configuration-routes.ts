/** The routes about the plan and the machine. */
import { VERSION } from '../base/version.ts';
import type { HealthAnswer } from '../protocol/control.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';
import { commandInput } from './run-program.ts';
import { list, object, strict, text, version, yes } from './schemas.ts';

const any = object({ schemaVersion: version }, ['schemaVersion']);
const tier = { type: 'string', pattern: '^[a-z][a-z0-9-]{0,31}$' };

export const CONFIGURATION_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/health',
    group: 'product',
    role: 'viewer',
    summary: 'whether it is well; `deep` lets the parts work: a query, a write that is read back, the queue',
    query: strict({ level: { enum: ['live', 'ready', 'deep'], description: 'live, ready or deep (ready)' } }),
    answers: {
      200: { what: 'well; of deep: the checks, `ok` says how they went', schema: any },
      503: { what: 'not well' },
    },
    run: health,
  },
  {
    method: 'GET',
    path: '/config',
    group: 'configuration',
    role: 'operator',
    summary: 'the plan in force, where each value came from, secrets masked',
    answers: { 200: { what: 'as `config show --json`, of the plan in force', schema: any } },
    run: async (_asked, { operate }) => ({
      status: 200,
      body: await operate.get<{ readonly plan: unknown }>('/v1/plan'),
    }),
  },
  {
    method: 'GET',
    path: '/config/check',
    group: 'configuration',
    role: 'operator',
    summary: 'check the configuration as it is written now; every problem at once',
    answers: {
      200: {
        what: 'as `config check --json`',
        schema: object({ schemaVersion: version, ok: yes, problems: list({ type: 'object' }) }, [
          'schemaVersion',
          'ok',
          'problems',
        ]),
      },
    },
    run: (asked, served) => ask('config check', asked, served),
  },
  {
    method: 'GET',
    path: '/config/diff',
    group: 'configuration',
    role: 'operator',
    summary: 'what one tier has that another has not',
    query: { ...strict({ before: tier, after: tier }), required: ['before', 'after'] },
    answers: {
      200: { what: 'as `config diff --json`', schema: any },
      422: { what: 'invalid-configuration' },
    },
    run: (asked, served) =>
      ask('config diff', asked, served, [String(asked.query.before), String(asked.query.after)]),
  },
  {
    method: 'GET',
    path: '/config/schema',
    group: 'configuration',
    role: 'viewer',
    summary: 'the JSON Schema of the plan, for editors',
    answers: { 200: { what: 'a JSON Schema', schema: { type: 'object' } } },
    run: async () => {
      // Only here: it reads every word of the plan.
      const { schemaText } = await import('../config/schema.ts');
      return { status: 200, body: schemaText(), headers: { 'content-type': 'application/schema+json' } };
    },
  },
  {
    method: 'GET',
    path: '/tiers',
    group: 'configuration',
    role: 'viewer',
    summary: 'which tier runs, and what each would start and take of memory',
    answers: {
      200: {
        what: 'as `tier --json`',
        schema: object({ schemaVersion: version, running: text, tiers: list({ type: 'object' }) }, [
          'schemaVersion',
          'tiers',
        ]),
      },
    },
    run: (asked, served) => ask('tier', asked, served),
  },
  {
    method: 'GET',
    path: '/doctor',
    group: 'configuration',
    role: 'operator',
    summary: 'what is wrong with this machine, this volume and this configuration',
    answers: {
      200: {
        what: 'as `doctor --json`',
        schema: object({ schemaVersion: version, ok: yes, findings: list({ type: 'object' }) }, [
          'schemaVersion',
          'ok',
          'findings',
        ]),
      },
    },
    run: (asked, served) => ask('doctor', asked, served),
  },
  {
    method: 'GET',
    path: '/version',
    group: 'product',
    role: 'viewer',
    summary: 'the version of Bulkhead and of Node',
    answers: {
      200: {
        what: 'the versions',
        schema: object({ schemaVersion: version, version: text, node: text }, [
          'schemaVersion',
          'version',
          'node',
        ]),
      },
    },
    run: () => {
      const node = process.version.slice(1);
      return { status: 200, body: { schemaVersion: SCHEMA_VERSION, version: VERSION, node } };
    },
  },
];

/** A look by the command line, whose JSON is the answer. */
async function ask(
  command: string,
  { caller }: Asked,
  { readings }: Served,
  words: readonly string[] = [],
): Promise<Answer> {
  const [answer] = await readings.read(caller, 'command', commandInput(command, { words }));
  return { status: 200, body: answer as object };
}

async function health({ query, caller }: Asked, served: Served): Promise<Answer> {
  const { level = 'ready' } = query;
  if (level === 'deep') {
    const [answer] = await served.readings.read(
      caller,
      'command',
      commandInput('health', { options: { deep: true } }),
    );
    return { status: 200, body: answer as object };
  }
  const body = await served.operate.get<HealthAnswer>(`/v1/health?level=${level}`, [503]);
  return { status: body.ok ? 200 : 503, body };
}
