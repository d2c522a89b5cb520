/** Where the database must be, if anybody says so: what keeps a misnamed DATABASE_URL from a new and empty database. */
import type { DatabaseUrl } from './database-url.ts';
import { nameServer } from './external-url.ts';
import type { DatabaseMode } from './plan.ts';
import type { DatabaseStanza } from './plan-words.ts';
import type { Reading } from './shape.ts';
import { placeOfWord } from './words.ts';

const VARIABLE = 'BULKHEAD_DATABASE_MODE';

/** Undefined: nobody says it. The variable beats the plan; both must agree with what DATABASE_URL means. */
export function readDatabaseMode(
  read: DatabaseStanza,
  url: DatabaseUrl | undefined,
  { variables, problems }: Reading,
): DatabaseMode | undefined {
  const given = variables.value(VARIABLE);
  const source = { outside: 'environment', source: `${VARIABLE}=${given ?? ''}` };
  if (given !== undefined && given !== 'embedded' && given !== 'external') {
    return problems.error(source, 'wrong-value', `${VARIABLE} is neither embedded nor external: "${given}"`);
  }
  const mode = given ?? read.mode;
  const at = given === undefined ? placeOfWord(read.at, 'mode') : source;
  if (mode === 'external' && url?.kind !== 'external' && !problems.failed) {
    const what = url === undefined ? 'is not set' : 'points into this container';
    problems.error(at, 'database-mode', `the database is to be external, but DATABASE_URL ${what}`, {
      suggestion: 'set DATABASE_URL=postgresql://user:password@host:5432/name',
      note: 'a database of our own would be another one, and empty',
    });
  }
  if (mode === 'embedded' && url?.kind === 'external') {
    problems.error(
      at,
      'database-mode',
      `the database is to be embedded, but DATABASE_URL points to ${nameServer(url.server)}`,
      { suggestion: `unset DATABASE_URL, or set ${VARIABLE}=external` },
    );
  }
  return mode;
}
