/** `api:` the HTTP API on BULKHEAD_API_PORT. */
import { ROLES, TOKEN_NAME } from './roles.ts';
import { flag, oneOf, systemUser } from './scalars.ts';
import { listOf, mapOf, parsed, text } from './shape.ts';
import { type Stanza, stanza } from './words.ts';

const address = parsed(
  'an IP address to listen on, or localhost',
  (written) => (/^(localhost|[0-9.]{7,15}|[0-9a-f:]*:[0-9a-f:.]*)$/i.test(written) ? written : undefined),
  { type: 'string' },
  (_, written) =>
    /:\d+$/.test(written)
      ? 'the port is BULKHEAD_API_PORT, or ports: { api: … }'
      : 'write 0.0.0.0 for all addresses; the names people use go into allowed_hosts',
);

const hostName = parsed(
  'the name of a host, without a scheme, a path or a port',
  (written) => (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(written) ? written.toLowerCase() : undefined),
  { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9.-]*$|\\$|^$' },
  (_, written) => {
    const name = URL.canParse(written) ? new URL(written).hostname : written.replace(/:\d+$/, '');
    return name === '' || name === written ? undefined : `write ${name}`;
  },
);

const tokenWords = {
  role: {
    shape: oneOf(...ROLES),
    doc: 'viewer: sees. operator: starts, stops, runs jobs and backups. admin: restores, and makes tokens.',
  },
  token: {
    shape: text,
    doc: 'Its value, a secret of at least 20 characters: from a variable, which may be given as a file (NAME_FILE). Empty: there is no such token.',
  },
} as const;

const oneToken = stanza(tokenWords, {
  required: ['role', 'token'],
  aliases: { value: '`token`', secret: '`token`' },
  refused: {
    file: 'write token: ${NAME}, and set NAME_FILE to the path',
    token_file: 'write token: ${NAME}, and set NAME_FILE to the path',
  },
});

const apiWords = {
  enabled: { shape: flag, doc: 'false: there is none. Default: true where there are jobs.' },
  host: {
    shape: address,
    doc: 'Where it listens. Off the loopback nothing on it answers without the token.',
    default: '0.0.0.0',
  },
  allowed_hosts: {
    shape: listOf(hostName),
    doc: 'The names it answers to besides localhost and IP addresses; any other name in a request is refused. Empty: every name, with the token.',
    examples: [['tools.example.com']],
  },
  tokens: {
    shape: mapOf(oneToken, { key: TOKEN_NAME }),
    doc: 'Tokens beside BULKHEAD_TOKEN, which may do everything, by names of your choice; the audit log tells them. More are made by: bulkhead token create.',
    examples: [{ grafana: { role: 'viewer', token: '${GRAFANA_TOKEN}' } }],
  },
  read_only: { shape: flag, doc: 'true: it shows everything and changes nothing.', default: false },
  user: {
    shape: systemUser,
    doc: 'The system user of the program, when Bulkhead is root.',
    default: 'api',
  },
} as const;

export type ApiStanza = Stanza<typeof apiWords>;

export const api = stanza(apiWords, {
  aliases: {
    listen: '`host`',
    bind: '`host`',
    address: '`host`',
    hosts: '`allowed_hosts`',
    allowedHosts: '`allowed_hosts`',
    readonly: '`read_only`',
    disabled: '`enabled: false`',
  },
  refused: {
    port: 'set BULKHEAD_API_PORT, or ports: { api: … }',
    token: 'set BULKHEAD_TOKEN or BULKHEAD_TOKEN_FILE; without it one is generated into /data/secrets/token',
  },
});

const figuresUrl = parsed(
  'an http address on this machine',
  (written) =>
    /^http:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?\//.test(written) ? written : undefined,
  { type: 'string', pattern: '^http://|\\$|^$' },
);

const metricsWords = {
  enabled: { shape: flag, doc: 'false: there are none.', default: true },
  app: {
    shape: figuresUrl,
    doc: 'Where the app tells its own figures in the text format of Prometheus: `http_requests_total{route,status}`, `http_request_duration_seconds{route}`, `active_users`. Only addresses of this machine; empty: nowhere.',
    examples: ['http://127.0.0.1:9702/metrics'],
  },
} as const;

export type MetricsStanza = Stanza<typeof metricsWords>;

export const metrics = stanza(metricsWords, { aliases: { disabled: '`enabled: false`', url: '`app`' } });
