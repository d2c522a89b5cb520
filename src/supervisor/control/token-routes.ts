import { ROLES, TOKEN_NAME } from '../../config/roles.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { TokensAnswer } from '../../protocol/tokens.ts';
import { sendJson } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { badRequest, readObject } from './request-body.ts';

const SHA256 = /^[\da-f]{64}$/;

export function listTokens({ response, target }: Exchange): void {
  const answer: TokensAnswer = {
    schemaVersion: SCHEMA_VERSION,
    tokens: target.tokens.list(),
    stored: target.tokens.stored(),
  };
  sendJson(response, 200, answer);
}

/** Whoever asks has made the value and keeps it: only its hash comes here. */
export async function addToken({ request, response, target }: Exchange): Promise<void> {
  const { name, role, sha256, expiresAt } = await readObject(request, [
    'name',
    'role',
    'sha256',
    'expiresAt',
  ]);
  const known = ROLES.find((each) => each === role);
  if (typeof name !== 'string' || !TOKEN_NAME.pattern.test(name))
    throw badRequest(`"name" must be ${TOKEN_NAME.wanted}`);
  if (known === undefined) throw badRequest(`"role" must be one of ${ROLES.join(', ')}`);
  if (typeof sha256 !== 'string' || !SHA256.test(sha256)) throw badRequest('"sha256" must be a hash in hex');
  const end = expiresAt === undefined ? undefined : readTime(expiresAt);
  const token = target.tokens.add({
    name,
    role: known,
    sha256,
    ...(end === undefined ? {} : { expiresAt: end }),
  });
  sendJson(response, 201, { schemaVersion: SCHEMA_VERSION, ...token });
}

export async function removeToken({ request, response, target }: Exchange): Promise<void> {
  const { name } = await readObject(request, ['name']);
  if (typeof name !== 'string') throw badRequest('"name" must be the name of a token');
  target.tokens.remove(name);
  sendJson(response, 200, { schemaVersion: SCHEMA_VERSION, revoked: name });
}

function readTime(value: unknown): string {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) throw badRequest('"expiresAt" must be a time in ISO 8601');
  return new Date(time).toISOString();
}
