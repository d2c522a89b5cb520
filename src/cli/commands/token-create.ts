import { createHash, randomBytes } from 'node:crypto';
import { TOKEN_NAME } from '../../config/roles.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { TokenView } from '../../protocol/tokens.ts';
import { usageFailure } from '../arguments.ts';
import type { Context } from '../command.ts';

const BYTES = 32;

/** The value is made here and stays here: the supervisor is told its hash. It alone goes to standard output. */
export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const [name = ''] = given.words;
  if (!TOKEN_NAME.pattern.test(name)) {
    throw usageFailure(`cannot call a token "${name}"`, `choose ${TOKEN_NAME.wanted}`);
  }
  const expires = given.duration('expires');
  if (expires !== undefined && expires <= 0) {
    throw usageFailure('cannot make a token that has ended already', 'write --expires 30d');
  }
  const token = randomBytes(BYTES).toString('base64url');
  const client = await context.client();
  const made = await client.post<TokenView>('/v1/tokens', {
    name,
    role: given.value('role') ?? 'viewer',
    sha256: createHash('sha256').update(token).digest('hex'),
    ...(expires === undefined ? {} : { expiresAt: new Date(io.now() + expires).toISOString() }),
  });
  if (context.json) context.sayJson({ ...made, schemaVersion: SCHEMA_VERSION, token });
  else {
    const end =
      made.expiresAt === undefined ? '' : ` until ${made.expiresAt.slice(0, 16).replace('T', ' ')} UTC`;
    context.remark(`${name}, of the role ${made.role}${end}. Keep it: it is shown this once.`);
    context.sayAsIs(token);
  }
  return CommandExit.ok;
}
