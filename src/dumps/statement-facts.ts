/** What a statement needs or names, told from its tokens. */
import { quoteIdentifier } from '../postgres/sql-text.ts';
import { findWords, hasWords, isName, type SqlToken } from './sql-tokens.ts';

/** The table of `COPY table (…) FROM stdin`, quoted. */
export function copyTarget(tokens: readonly SqlToken[]): string {
  return qualifiedName(tokens, 1) ?? '';
}

/** The extension of a CREATE EXTENSION, and the schema it names. */
export function createdExtension(
  tokens: readonly SqlToken[],
): { readonly name: string; readonly schema: string | undefined } | undefined {
  if (!hasWords(tokens, 0, 'create', 'extension')) return undefined;
  const token = tokens[hasWords(tokens, 2, 'if', 'not', 'exists') ? 5 : 2];
  if (!isName(token)) return undefined;
  const at = findWords(tokens, 'schema');
  const schema = at < 0 ? undefined : tokens[at + 1];
  return { name: token.text, schema: isName(schema) ? schema.text : undefined };
}

const NO_ROLES = new Set([
  'public',
  'current_user',
  'session_user',
  'current_role',
  'group',
  'grant',
  'with',
  'granted',
  'cascade',
  'restrict',
]);

/** Roles that must exist for the statement to run: of GRANT, REVOKE, CREATE POLICY and default privileges. */
export function neededRoles(tokens: readonly SqlToken[]): string[] {
  const first = tokens[0]?.text;
  const from = (at: number): string[] => (at < 0 ? [] : listedNames(tokens, at));
  if (
    first === 'grant' ||
    hasWords(tokens, 0, 'create', 'policy') ||
    hasWords(tokens, 0, 'alter', 'policy')
  ) {
    return from(lastWord(tokens, 'to') + 1 || -1);
  }
  if (first === 'revoke') return from(lastWord(tokens, 'from') + 1 || -1);
  if (hasWords(tokens, 0, 'alter', 'default', 'privileges')) {
    const grant = findWords(tokens, 'grant');
    return from(lastWord(tokens, grant >= 0 ? 'to' : 'from') + 1 || -1);
  }
  return [];
}

/** `SET client_encoding = 'X'` */
export function clientEncoding(tokens: readonly SqlToken[]): string | undefined {
  if (!hasWords(tokens, 0, 'set', 'client_encoding')) return undefined;
  return tokens[3]?.text.replaceAll("'", '').toUpperCase();
}

function listedNames(tokens: readonly SqlToken[], at: number): string[] {
  const names: string[] = [];
  for (let index = at; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token?.kind === 'other' && token.text === ',') continue;
    if (!isName(token)) break;
    if (token.kind === 'word' && NO_ROLES.has(token.text)) {
      if (token.text === 'public' || token.text.endsWith('user') || token.text === 'group') continue;
      break;
    }
    if (token.kind === 'word' && token.text === 'using') break;
    names.push(token.text);
  }
  return names;
}

function lastWord(tokens: readonly SqlToken[], word: string): number {
  return tokens.findLastIndex(({ kind, text }) => kind === 'word' && text === word);
}

function qualifiedName(tokens: readonly SqlToken[], at: number): string | undefined {
  const first = tokens[at];
  if (!isName(first)) return undefined;
  const dot = tokens[at + 1];
  const second = tokens[at + 2];
  if (dot?.kind === 'other' && dot.text === '.' && isName(second)) {
    return `${quoteIdentifier(first.text)}.${quoteIdentifier(second.text)}`;
  }
  return quoteIdentifier(first.text);
}
