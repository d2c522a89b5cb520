/** The API in OpenAPI 3.1, made of the very routes that serve it. */
import { VERSION } from '../base/version.ts';
import type { ApiRoute, JsonSchema } from './route.ts';
import { problem } from './schemas.ts';

const GROUPS: Readonly<Record<ApiRoute['group'], string>> = {
  jobs: 'Work that is asked for and done by a worker, at least once',
  schedules: 'What runs by the clock',
  alerts: 'What is not well, and who is told of it',
  product: 'The product as a whole',
  services: 'Starting and stopping what the product is made of',
  operations: 'What takes longer than a request',
  backups: 'Backups, proven and restored',
  database: 'The database as a whole',
  configuration: 'The plan and the machine',
  access: 'Who may ask: logins, tokens, and what was changed by whom',
};

/** What any route may answer besides its own. */
export const EVERYWHERE: Readonly<Record<number, string>> = {
  400: 'the request has the wrong shape',
  401: 'a wrong token, or none where one is needed: to change something always, to read from anywhere but the loopback',
  403: 'the role of the token is too small (`role` says which is needed), a Host or a page that is not ours, or nothing may be changed',
  429: 'too many wrong tokens from this address',
  503: 'who would answer is away, or too much waits; see Retry-After',
};
export const OF_MUTATIONS: Readonly<Record<number, string>> = {
  413: 'the body is too large',
  415: 'the body is not application/json',
};

/**
 * @param routes in the order they shall be shown
 * @param jobTypes of the plan: each has an address of its own, for `/jobs/{type}` and `/jobs/{id}` would be the same one
 */
export function describeApi(routes: readonly ApiRoute[], jobTypes: readonly string[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes.flatMap((each) => ofEachType(each, jobTypes))) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bulkhead',
      version: VERSION,
      description:
        'Jobs, schedules and state of a product that Bulkhead supervises. Without a token the loopback may read, and nobody may do more. ' +
        'A request that changes something must be application/json, but for a DELETE without a body. Errors are application/problem+json (RFC 9457).',
    },
    security: [{ token: [] }, { session: [] }, {}],
    tags: Object.entries(GROUPS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'bulkhead',
          description:
            'Of a browser that logged in: `__Host-bulkhead` over https. A change needs the header X-Bulkhead-Console as well, and a page of ours.',
        },
      },
      schemas: { Problem: problem },
      headers: {
        Durability: {
          description: 'how well the queue keeps jobs at this moment',
          schema: { enum: ['durable', 'journaled', 'volatile'] },
        },
      },
    },
  };
}

function ofEachType(route: ApiRoute, jobTypes: readonly string[]): readonly ApiRoute[] {
  if (!route.path.endsWith('/:type')) return [route];
  return jobTypes.map((type) => ({
    ...route,
    path: route.path.replace(':type', type),
    summary: `add a job of type ${type}`,
  }));
}

function describeRoute({
  method,
  path,
  summary,
  group,
  query,
  body,
  headers = {},
  answers,
  role,
}: ApiRoute): object {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...propertiesOf(query).map(([name, schema]) => ({ name, in: 'query', schema })),
    ...Object.entries(headers).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
  const failures = { ...EVERYWHERE, ...(method === 'GET' ? {} : OF_MUTATIONS) };
  const own = Object.entries(answers).map(([status, { what, schema, type = 'application/json' }]) => {
    const isFailure = Number(status) >= 400;
    return [
      status,
      isFailure
        ? describeFailure(what)
        : {
            description: what,
            ...(group === 'jobs' ? { headers: DURABILITY } : {}),
            ...(schema === undefined && type === 'application/json'
              ? {}
              : { content: { [type]: schema ? { schema } : {} } }),
          },
    ];
  });
  return {
    operationId: operationId(method, path),
    summary,
    tags: [group],
    ...securityOf(method, role),
    'x-role': role,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(failures).map(([status, what]) => [status, describeFailure(what)]),
      ),
      ...Object.fromEntries(own),
    },
  };
}

/** On the loopback a viewer needs no token; the names of roles are what OpenAPI 3.1 lets stand there for any scheme. */
function securityOf(method: string, role: ApiRoute['role']): object {
  if (role === 'anybody') return { security: [{}] };
  if (method === 'GET' && role === 'viewer') return {};
  return { security: [{ token: [role] }, { session: [role] }] };
}

const DURABILITY = { 'X-Bulkhead-Durability': { $ref: '#/components/headers/Durability' } };

function describeFailure(what: string): object {
  return {
    description: what,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** `post /jobs/:id/cancel` → `postJobsIdCancel`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^a-z0-9]+/i).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function propertiesOf(schema: JsonSchema | undefined): [string, unknown][] {
  const properties = schema?.properties;
  return typeof properties === 'object' && properties !== null ? Object.entries(properties) : [];
}
