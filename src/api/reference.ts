/** The page of docs/ about the API, made of the routes that serve it. */
import { COMMAND_ROUTES } from './command-routes.ts';
import { EVERYWHERE, OF_MUTATIONS } from './openapi.ts';
import type { ApiRoute } from './route.ts';
import { ROUTES } from './routes.ts';

export function apiPage(): string {
  return [
    '# The API, request by request',
    '',
    '<!-- Made by `npm run schema` of the routes in src/api; change them instead. -->',
    '',
    'What a job is stands in [jobs.md](jobs.md). The same as here in OpenAPI 3.1, with every schema:',
    '`GET /api/openapi.json`.',
    '',
    ACCESS,
    OPERATIONS,
    STREAM,
    '## Commands and their routes',
    '',
    '| command | route |',
    '|---|---|',
    ...Object.entries(COMMAND_ROUTES).map(
      ([name, served]) =>
        `| \`${name}\` | ${'why' in served ? `none: ${served.why}` : served.routes.map((route) => `\`${route}\``).join(', ')} |`,
    ),
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

const ACCESS = `## Who may ask

A program sends \`Authorization: Bearer TOKEN\`. Without a token the loopback may look, as a viewer, and nobody may do more.

| role | may |
|---|---|
| \`viewer\` | see: state, logs, events, jobs, backups, metrics |
| \`operator\` | as well: start and stop services, run jobs, schedules and backups, silence alerts, see the configuration |
| \`admin\` | as well: restore, import, upgrade, make and revoke tokens, read who changed what |

Each route below says the least role it needs; a smaller one is answered with 403, and \`role\` says which would do.

- \`BULKHEAD_TOKEN\`, or the one in \`secrets/token\` of the volume, is an admin called \`main\`.
- \`bulkhead token create NAME --role ROLE [--expires 30d]\` makes another and shows its value this once; the volume keeps
  its hash, in \`secrets/tokens\`, for root's eyes. \`bulkhead token revoke NAME\` ends it, and every login by it, within a second.
- \`api: { tokens: { NAME: { role, token: "\${NAME_TOKEN}" } } }\` of the plan brings more, for those that come as secrets;
  each has a value of its own, and none that of \`BULKHEAD_TOKEN\`.

Ten wrong tokens in a minute from one address are told so, further ones to wait; a right one is never kept out.
\`GET /audit\` tells an admin who changed what, by the names of tokens and never by their values; it is
\`bulkhead/console/audit.ndjson\` of the volume, about ten thousand entries of it. Where a client left before it had its
answer, the entry says so (\`left\`) and what came of the request all the same.

Each role, and those who show no token, have room of their own: sixteen streams, 64 connections, three questions at a time
that need a look at the machine or its files (two without a token). Who asks for more is told to come back (503), a
connection of its like that was there longest is closed: however many come without a token, no admin is kept out by them.
A connection that has said nothing whole after 5 seconds is closed.

**A browser** logs in with \`POST /session\` and \`{"token": "…"}\`. The cookie that comes back is \`HttpOnly\` and
\`SameSite=Strict\`, over https also \`Secure\` and \`__Host-\`; it ends after two idle hours, after twelve in any case, with
\`DELETE /session\`, with its token, and when the API starts anew. A change by a session needs \`X-Bulkhead-Console: 1\`
and must come from a page of ours: \`Sec-Fetch-Site: same-origin\`, or on plain http an \`Origin\` that is the \`Host\`.
What the loopback or a session may read is not for pages of other sites either: a browser that names one
(\`Sec-Fetch-Site\`, \`Origin\`) is answered with 403. Probes and Prometheus name none.
A name that is neither localhost, nor an IP address, nor in \`api: allowed_hosts:\`, needs a token or a session.
A cookie knows no ports: what else answers under the same name, the product's own app, is sent it too and could use it.
Where the app is not trusted that far, give the API a name of its own, behind a proxy.
`;

const OPERATIONS = `## What takes longer

A start, a backup, a restore is an operation. Its route answers 200 where it is over within a moment, else 202 and
\`Location: /operations/ID\`; there, and in the stream of \`GET /events\`, is how far it is and what came of it, as the
command prints it with \`--json\`. It goes on whatever becomes of the API: where that is restarted, or crashes, backups,
restores, imports and upgrades are found again under the same id, those that ended meanwhile as well, the newest fifty. A
start or stop of a service goes on, too, but only its service tells of it then. \`POST /operations/ID/cancel\` ends one, as
Ctrl-C ends a command, and it is over when it has ended; it needs the \`role\` that may begin it. With the container all end. What
replaces something needs \`confirm\`, which repeats what it is about; \`dryRun: true\` tells first what it would do.
`;

const STREAM = `## The stream

\`GET /events?topics=…\` is one stream of server-sent events for all that a page shows, for a browser opens few:

| topic | frame | \`data\` |
|---|---|---|
| \`events\` | without a name | what happened to services and tasks; \`{"type":"missed","before":N}\`: those before are not kept any more |
| \`jobs\` | without a name | what happens to jobs (\`"type":"job"\`), where it is told; kept nowhere |
| \`state\` | \`state\` | at first everything (\`"whole":true\`), then what is otherwise, at most once a second; \`gone\`: names that are no more |
| \`operations\` | \`operation\` | an operation, whenever it has changed; at first those that run or ended in the last ten minutes |
| \`logs\` | \`logs\` | \`lines\`, ten times a second at most; \`dropped\`: so many more there were; \`"missed":true\`: some in between are not kept |

\`id\` says how far a listener is in events and in lines. A browser comes back with it by itself (Last-Event-ID) and gets
what is kept of what came in between: a thousand events, and two thousand lines for half a minute; after a restart of the
API the lines since the time of the last one, of which the last may come twice. State and operations need no id: they
begin anew, whole. A stream ends within 15 seconds after its token was revoked; one that does not read what is sent is
cut off.
`;

function describe({ method, path, summary, query, body, headers = {}, answers, role }: ApiRoute): string[] {
  const facts = [
    `| role | ${role} |`,
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
