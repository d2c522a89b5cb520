/** Checks requests against their schemas, and says what is wrong with them in words of ours. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { suggestWord } from '../base/suggest.ts';
import { Problem, type ProblemError } from './problem.ts';
import type { JsonSchema } from './route.ts';

export type Validate = (value: unknown) => { value: unknown } | { error: Problem };

/** A date and a time with its zone, RFC 3339. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** Texts of an address become the numbers they stand for; a body must have the right types by itself. */
export function createValidator(): (schema: JsonSchema, part: string) => Validate {
  const options = { strict: true, strictTypes: false, allErrors: true, verbose: true } as const;
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
  const errors = found.slice(0, MOST_ERRORS).map((error): ProblemError => {
    const hint = hintOf(error);
    return {
      at: `${part === 'querystring' ? 'query' : part}${error.instancePath.replaceAll('/', '.')}`,
      message: describe(error),
      ...(part === 'body' ? { pointer: pointerOf(error) } : {}),
      ...(hint === undefined ? {} : { hint }),
    };
  });
  const [first] = errors;
  const detail = first === undefined ? 'the request has the wrong shape' : `${first.at}: ${first.message}`;
  const remedy = [first?.hint, 'see: GET /api/openapi.json'].filter((part) => part !== undefined).join('; ');
  return new Problem(400, 'bad-request', detail, { errors, remedy });
}

/** RFC 6901, as RFC 9457 has it in its example. */
function pointerOf({ keyword, params, instancePath }: ErrorObject): string {
  const key: unknown = keyword === 'additionalProperties' ? params.additionalProperty : undefined;
  const last = typeof key === 'string' ? `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
  return `#${instancePath}${last}`;
}

/** Of a key nobody knows: the one that was meant, or what the object is for, or all there are. */
function hintOf({ keyword, params, parentSchema }: ErrorObject): string | undefined {
  if (keyword !== 'additionalProperties') return undefined;
  const { properties = {}, description } = (parentSchema ?? {}) as {
    readonly properties?: object;
    readonly description?: string;
  };
  const known = Object.keys(properties);
  const meant = suggestWord(String(params.additionalProperty), known);
  if (meant !== undefined) return `did you mean "${meant}"?`;
  if (description !== undefined) return description;
  return known.length === 0 ? 'it takes no keys' : `it knows ${known.join(', ')}`;
}

function describe({ keyword, params, message = 'is wrong' }: ErrorObject): string {
  if (keyword === 'additionalProperties') return `unknown key "${params.additionalProperty}"`;
  if (keyword === 'format') return 'must be a date and time with its zone, as 2026-11-21T08:00:00Z';
  return message;
}
