/** The routes about who may ask: logins, tokens, and what was changed by whom. */
import { randomBytes } from 'node:crypto';
import { parseDuration } from '../base/duration.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { TokensAnswer, TokenView } from '../protocol/tokens.ts';
import { auditList, auditQuery, login, madeToken, newToken, tokenList, whoAmI } from './access-schemas.ts';
import { SESSION_PATH } from './admission.ts';
import type { Caller } from './caller.ts';
import { Problem } from './problem.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';
import { isHttps, writeCookie } from './sessions.ts';
import { hashOf } from './token-book.ts';

export const ACCESS_ROUTES: readonly ApiRoute[] = [
  {
    method: 'POST',
    path: SESSION_PATH,
    group: 'access',
    role: 'anybody',
    summary: 'log in: a cookie stands for the token from then on, for two idle hours and twelve at most',
    body: login,
    answers: { 200: { what: 'who you are; Set-Cookie', schema: whoAmI } },
    run: begin,
  },
  {
    method: 'GET',
    path: SESSION_PATH,
    group: 'access',
    role: 'viewer',
    summary: 'who you are here, and what you may',
    answers: { 200: { what: 'who you are', schema: whoAmI } },
    run: ({ caller }, { readOnly }) => ({ status: 200, body: tell(caller, readOnly) }),
  },
  {
    method: 'DELETE',
    path: SESSION_PATH,
    group: 'access',
    role: 'viewer',
    summary: 'log out',
    answers: { 204: { what: 'the cookie opens nothing any more' } },
    run: end,
  },
  {
    method: 'GET',
    path: '/tokens',
    group: 'access',
    role: 'admin',
    summary: 'every token by its name, never its value',
    answers: { 200: { what: 'the tokens', schema: tokenList } },
    run: async (_asked, { operate }) => {
      const { tokens } = await operate.get<TokensAnswer>('/v1/tokens');
      return { status: 200, body: { schemaVersion: SCHEMA_VERSION, tokens } };
    },
  },
  {
    method: 'POST',
    path: '/tokens',
    group: 'access',
    role: 'admin',
    summary: 'make a token',
    body: newToken,
    answers: {
      201: { what: 'the token, with its value this once', schema: madeToken },
      409: { what: 'name-taken' },
    },
    run: makeToken,
  },
  {
    method: 'DELETE',
    path: '/tokens/:name',
    group: 'access',
    role: 'admin',
    summary: 'revoke a token: it and its sessions open nothing any more, within a second',
    answers: { 204: { what: 'it is revoked' }, 404: { what: 'unknown-token' }, 409: { what: 'not-ours' } },
    run: async ({ params }, { operate }) => {
      await operate.post('/v1/tokens/revoke', { name: params.name });
      return { status: 204 };
    },
  },
  {
    method: 'GET',
    path: '/audit',
    group: 'access',
    role: 'admin',
    summary: 'who changed what, newest first',
    query: auditQuery,
    answers: { 200: { what: 'the entries', schema: auditList } },
    run: readAudit,
  },
];

function tell({ role, by, token, endsAt }: Caller, readOnly: boolean): object {
  return {
    schemaVersion: SCHEMA_VERSION,
    ...(token === undefined ? {} : { name: token.name }),
    role,
    by,
    ...(endsAt === undefined ? {} : { endsAt: new Date(endsAt).toISOString() }),
    readOnly,
  };
}

async function begin({ body, raw, caller }: Asked, served: Served): Promise<Answer> {
  const { admission, sessions, readOnly, wallClock } = served;
  const token = await admission.login(raw, String(body.token));
  // Whoever logs in anew is not two.
  if (caller.cookie !== undefined) sessions.end(caller.cookie);
  const { value, session } = sessions.open(token);
  const { role } = token;
  const { endsAt } = session;
  return {
    status: 200,
    body: tell({ role, by: 'session', actor: '', token, endsAt }, readOnly),
    headers: { 'set-cookie': writeCookie(value, endsAt - wallClock(), isHttps(raw)) },
    actor: `token ${token.name}`,
  };
}

function end({ raw, caller }: Asked, { sessions }: Served): Answer {
  if (caller.cookie !== undefined) sessions.end(caller.cookie);
  return { status: 204, headers: { 'set-cookie': writeCookie('', 0, isHttps(raw)) } };
}

const BYTES = 32;
const LONGEST_MS = 10 * 365 * 86_400_000;

async function makeToken({ body }: Asked, { operate, wallClock }: Served): Promise<Answer> {
  const { name, role, expires } = body;
  const ms = typeof expires === 'string' ? parseDuration(expires) : undefined;
  if (expires !== undefined && (ms === undefined || ms <= 0 || ms > LONGEST_MS)) {
    throw new Problem(400, 'bad-request', 'expires must be a duration such as 30d, and at most 3650d');
  }
  const value = randomBytes(BYTES).toString('base64url');
  const made = await operate.post<TokenView>('/v1/tokens', {
    name,
    role,
    sha256: hashOf(value).toString('hex'),
    ...(ms === undefined ? {} : { expiresAt: new Date(wallClock() + ms).toISOString() }),
  });
  return {
    status: 201,
    body: { ...made, schemaVersion: SCHEMA_VERSION, token: value },
    about: `token ${made.name}`,
  };
}

const DEFAULT_LIMIT = 100;

async function readAudit({ query }: Asked, { audit }: Served): Promise<Answer> {
  const limit = typeof query.limit === 'number' ? query.limit : DEFAULT_LIMIT;
  // As the entries have it: in UTC, to the millisecond.
  const before = typeof query.before === 'string' ? new Date(query.before).toISOString() : undefined;
  const entries = await audit.read(limit, before);
  return { status: 200, body: { schemaVersion: SCHEMA_VERSION, entries } };
}
