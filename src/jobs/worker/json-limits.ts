/** What of the JSON of others can be kept: every store takes it, and nobody's memory is the price. */

/** Bytes of `data` and of a result, as JSON. */
const LONGEST_JSON = 64 * 1024;
/** PostgreSQL's and our own recursions end somewhere; data of people does long before. */
const DEEPEST = 100;

export type JsonProblem = { readonly code: 'too-large' | 'bad-request'; readonly message: string };

/**
 * What is wrong with a value that came as JSON; undefined: nothing. U+0000 and lone surrogates are JSON and yet no
 * store's text: jsonb refuses both (PostgreSQL, "JSON Types").
 * @param what Its name, for the message.
 */
export function findJsonProblem(what: string, value: unknown): JsonProblem | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value: one, depth } = at;
    if (depth > DEEPEST) return bad(`${what} is nested deeper than ${DEEPEST}`);
    if (typeof one === 'string' && !isText(one)) {
      return bad(`${what} holds a character that cannot be kept: U+0000, or half of one beyond U+FFFF`);
    }
    if (typeof one !== 'object' || one === null) continue;
    for (const [key, each] of Object.entries(one)) {
      if (!isText(key)) return bad(`${what} has a key with a character that cannot be kept`);
      open.push({ value: each, depth: depth + 1 });
    }
  }
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes <= LONGEST_JSON) return undefined;
  return {
    code: 'too-large',
    message: `${what} is ${bytes} bytes of JSON; at most ${LONGEST_JSON} are kept`,
  };
}

/** A text of others for people: what no store takes is replaced, what is too long is cut (`longest` characters). */
export function cleanText(text: string, longest: number): string {
  const clean = text.replaceAll('\0', '\uFFFD').toWellFormed();
  return clean.length > longest ? `${clean.slice(0, longest - 1).toWellFormed()}…` : clean;
}

function isText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function bad(message: string): JsonProblem {
  return { code: 'bad-request', message };
}
