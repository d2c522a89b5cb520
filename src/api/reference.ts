/** The page of docs/ about the API, made of the routes that serve it. */
import { EVERYWHERE, OF_MUTATIONS } from './openapi.ts';
import type { ApiRoute } from './route.ts';
import { ROUTES } from './routes.ts';

export function apiPage(): string {
  return [
    '# The API, request by request',
    '',
    '<!-- Made by `npm run schema` of the routes in src/api; change them instead. -->',
    '',
    'Who may ask, and what a job is, stands in [jobs.md](jobs.md). The same in OpenAPI 3.1, with every schema:',
    '`GET /api/openapi.json`.',
    '',
    ...ROUTES.flatMap(describe),
    '## Any of them',
    '',
    '| status | when |',
    '|---|---|',
    ...Object.entries({ ...EVERYWHERE, ...OF_MUTATIONS }).map(([status, what]) => `| ${status} | ${what} |`),
    '',
  ].join('\n');
}

function describe({ method, path, summary, query, body, headers = {}, answers }: ApiRoute): string[] {
  const facts = [
    ...optionsOf('query', query),
    ...optionsOf('body', body),
    ...Object.entries(headers).map(([name, what]) => `| header \`${name}\` | ${what} |`),
    ...Object.entries(answers).map(([status, { what }]) => `| ${status} | ${what} |`),
  ];
  return [
    `## \`${method} ${path}\``,
    '',
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    '',
    '| | |',
    '|---|---|',
    ...facts,
    '',
  ];
}

function optionsOf(part: string, schema: ApiRoute['query']): string[] {
  const properties = (schema?.properties ?? {}) as Readonly<
    Record<string, { readonly description?: string }>
  >;
  return Object.entries(properties).map(
    ([name, { description = '' }]) => `| ${part} \`${name}\` | ${description} |`,
  );
}
