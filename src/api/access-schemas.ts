/** JSON schemas of tokens, sessions and the audit log. */
import { ROLES, TOKEN_NAME } from '../config/roles.ts';
import type { JsonSchema } from './route.ts';
import { count, list, object, strict, text, time, version } from './schemas.ts';

const role: JsonSchema = { enum: ROLES };
const name: JsonSchema = { type: 'string', pattern: TOKEN_NAME.pattern.source };

export const login = {
  ...strict({ token: { type: 'string', minLength: 1, maxLength: 512, description: 'the token' } }),
  required: ['token'],
};
export const whoAmI = object(
  {
    schemaVersion: version,
    name: { ...text, description: 'of the token; none: the loopback without one' },
    role,
    by: { enum: ['token', 'session', 'loopback'] },
    endsAt: { ...time, description: 'of a session: when it ends at the latest' },
    readOnly: { type: 'boolean', description: 'nothing may be changed here by anybody' },
  },
  ['schemaVersion', 'role', 'by', 'readOnly'],
);

const token = {
  name,
  role,
  createdAt: time,
  expiresAt: time,
  from: {
    enum: ['environment', 'generated', 'plan', 'volume'],
    description:
      'environment: BULKHEAD_TOKEN, or the one generated; plan: api.tokens; volume: made by people',
  },
};
export const tokenList = object(
  { schemaVersion: version, tokens: list(object(token, ['name', 'role', 'from'])) },
  ['schemaVersion', 'tokens'],
);
export const newToken = {
  ...strict({
    name: { ...name, description: 'of your choice; the audit log tells it' },
    role: { ...role, description: ROLES.join(', ') },
    expires: { ...text, description: 'after how long it opens nothing any more: 30d (never)' },
  }),
  required: ['name', 'role'],
};
export const madeToken = object(
  {
    schemaVersion: version,
    ...token,
    token: { ...text, description: 'its value, told this once and kept nowhere' },
  },
  ['schemaVersion', 'name', 'role', 'token'],
);

export const auditQuery = strict({
  limit: { type: 'integer', minimum: 1, maximum: 1000, description: 'at most so many (100)' },
  before: { ...time, description: 'only what was before this time' },
});
export const auditList = object(
  {
    schemaVersion: version,
    entries: list(
      object(
        {
          at: time,
          actor: { ...text, description: 'whose token it was; none: it was not let in' },
          address: text,
          method: text,
          path: text,
          status: {
            ...count,
            description:
              'of the answer; 499: the client left before all of its request was here, nothing was done',
          },
          left: { const: true, description: 'the client left before it had the answer' },
          about: text,
        },
        ['at', 'address', 'method', 'path', 'status'],
      ),
    ),
  },
  ['schemaVersion', 'entries'],
);
