/** Checks requests against their schemas, and says what is wrong with them in words of ours. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Problem } from './problem.ts';
import type { JsonSchema } from './route.ts';

export type Validate = (value: unknown) => { value: unknown } | { error: Problem };

/** A date and a time with its zone, RFC 3339. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Texts of an address become the numbers they stand for; a body must have the right types by itself. */
export function createValidator(): (schema: JsonSchema, part: string) => Validate {
  const options = { strict: true, strictTypes: false, allErrors: true } as const;
  const [bodies, texts] = [new Ajv(options), new Ajv({ ...options, coerceTypes: true })].map((ajv) =>
    ajv.addFormat('date-time', isDateTime),
  );
  return (schema, part) => {
    const ajv = part === 'body' ? bodies : texts;
    if (ajv === undefined) throw new Error('no validator');
    // Compiled when the route is asked for first: all of them at once would be half of our start.
    let check: ValidateFunction | undefined;
    return (value) => {
      check ??= ajv.compile(schema);
      return check(value) ? { value } : { error: invalid(part, check.errors ?? []) };
    };
  };
}

function isDateTime(text: string): boolean {
  return DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));
}

/** At most so many are told. */
const MOST_ERRORS = 10;

function invalid(part: string, found: readonly ErrorObject[]): Problem {
  const errors = found.slice(0, MOST_ERRORS).map((error) => ({
    at: `${part === 'querystring' ? 'query' : part}${error.instancePath.replaceAll('/', '.')}`,
    message: describe(error),
  }));
  const [first] = errors;
  const detail = first === undefined ? 'the request has the wrong shape' : `${first.at}: ${first.message}`;
  return new Problem(400, 'bad-request', detail, { errors, remedy: 'see: GET /api/openapi.json' });
}

function describe({ keyword, params, message = 'is wrong' }: ErrorObject): string {
  if (keyword === 'additionalProperties') return `unknown key "${params.additionalProperty}"`;
  if (keyword === 'format') return 'must be a date and time with its zone, as 2026-11-21T08:00:00Z';
  return message;
}
