/**
 * What is done with a statement of a dump, so that it fits into a database that belongs to one unprivileged role.
 * These rules give a dump its meaning and people their messages; they are no guard. The guard is the session: its
 * session user is the application role, and the server refuses what that one may not.
 */
import { quoteIdentifier } from '../postgres/sql-text.ts';
import { findWords, hasWords, isName, type SqlToken } from './sql-tokens.ts';
import { createdExtension } from './statement-facts.ts';

export interface RuleContext {
  readonly appUser: string;
  /** The database the statement will run in. */
  readonly database: string;
  /** `server_version_num` */
  readonly serverVersion: number;
  /** What only a superuser may is run as one. */
  readonly trusted?: boolean;
  /** Extensions that are in the database before the dump is, and the schemas that were made for them. */
  readonly given?: Given | undefined;
  /** All of it runs in one transaction of ours. */
  readonly inTransaction?: boolean;
}

export interface Given {
  readonly extensions: ReadonlySet<string>;
  readonly schemas: ReadonlySet<string>;
}

export type Decision =
  | { readonly do: 'run' }
  /** Bytes `start` to `end` of the statement are replaced. */
  | { readonly do: 'rewrite'; readonly start: number; readonly end: number; readonly text: string }
  /** `why` is the name it is counted under in the log. */
  | { readonly do: 'skip'; readonly why: string }
  /** Run only when everything is in and counted. */
  | { readonly do: 'defer' }
  | { readonly do: 'refuse'; readonly cause: string; readonly remedy: string }
  /** Run as the superuser, for the dump is trusted; `cause` says what needs one. */
  | { readonly do: 'elevate'; readonly cause: string };

const RUN: Decision = { do: 'run' };

export function decide(tokens: readonly SqlToken[], context: RuleContext): Decision {
  const first = tokens[0]?.kind === 'word' ? tokens[0].text : '';
  return RULES[first]?.(tokens, context) ?? RUN;
}

type Rule = (tokens: readonly SqlToken[], context: RuleContext) => Decision | undefined;

/** Transactions of a script are parts of ours; what it undoes there, we would undo with it. */
const partOfOurs: Rule = (_tokens, { inTransaction }) =>
  inTransaction ? { do: 'skip', why: 'begin or end of a transaction' } : undefined;
const undoesOurs: Rule = (tokens, { inTransaction }) =>
  inTransaction && findWords(tokens, 'to') < 0
    ? {
        do: 'refuse',
        cause: 'it takes back what it did, and all of it is one transaction here',
        remedy: 'take the statement out, or make the dump anew with pg_dump',
      }
    : undefined;

const RULES: Readonly<Record<string, Rule>> = {
  begin: partOfOurs,
  start: partOfOurs,
  commit: partOfOurs,
  end: partOfOurs,
  rollback: undoesOurs,
  abort: undoesOurs,
  alter: (tokens, { appUser, database }) => {
    if (namesOwner(tokens)) return { do: 'skip', why: 'owner' };
    if (forcesRowSecurity(tokens)) return { do: 'defer' };
    if (hasWords(tokens, 1, 'default', 'privileges', 'for')) return rename(tokens[5], appUser);
    if (hasWords(tokens, 1, 'database')) return rename(tokens[2], database);
    return undefined;
  },
  set: (tokens, { serverVersion }) => {
    if (hasWords(tokens, 1, 'session', 'authorization')) return { do: 'skip', why: 'session authorization' };
    // pg_dump 17 and newer write it whatever server the dump is for.
    if (hasWords(tokens, 1, 'transaction_timeout') && serverVersion < 170_000)
      return { do: 'skip', why: 'transaction_timeout' };
    // The tablespaces of another machine are not here.
    if (hasWords(tokens, 1, 'default_tablespace') && tokens[3]?.text !== "''")
      return { do: 'skip', why: 'tablespace' };
    return undefined;
  },
  reset: (tokens) =>
    hasWords(tokens, 1, 'session', 'authorization')
      ? { do: 'skip', why: 'session authorization' }
      : undefined,
  comment: (tokens, { database, given }) => {
    const extension = tokens[3];
    if (
      hasWords(tokens, 1, 'on', 'extension') &&
      isName(extension) &&
      given?.extensions.has(extension.text)
    ) {
      return { do: 'skip', why: `comment on ${extension.text}` };
    }
    // Written by pg_dump 10 and older; only the superuser may, and it says nothing.
    if (hasWords(tokens, 1, 'on', 'extension', 'plpgsql')) return { do: 'skip', why: 'comment on plpgsql' };
    if (hasWords(tokens, 1, 'on', 'database')) return rename(tokens[3], database);
    return undefined;
  },
  create: (tokens, { given }) => {
    if (hasWords(tokens, 1, 'database')) return { do: 'skip', why: 'database' };
    const extension = createdExtension(tokens)?.name;
    if (extension !== undefined && given?.extensions.has(extension)) {
      return { do: 'skip', why: `CREATE EXTENSION ${extension}, which is there already` };
    }
    const schema = tokens[2];
    // Every new database has it already, or it was made for an extension.
    const there = isName(schema) && (schema.text === 'public' || given?.schemas.has(schema.text) === true);
    if (hasWords(tokens, 1, 'schema') && isName(schema) && there) {
      return { do: 'rewrite', start: schema.start, end: schema.start, text: 'IF NOT EXISTS ' };
    }
    return undefined;
  },
  drop: (tokens) => (hasWords(tokens, 1, 'database') ? { do: 'skip', why: 'database' } : undefined),
  grant: renameGrant,
  revoke: renameGrant,
  copy: (tokens, { trusted }) => {
    const at = tokens.findIndex(({ kind, text }) => kind === 'word' && (text === 'from' || text === 'to'));
    const next = tokens[at + 1];
    if (at < 0 || next === undefined) return undefined;
    const runs = next.kind === 'word' && next.text === 'program';
    if (!runs && next.kind !== 'text') return undefined;
    const cause = runs
      ? 'COPY … PROGRAM runs a command on this machine'
      : 'COPY with a file name reads or writes a file of this machine';
    return trusted ? { do: 'elevate', cause } : { do: 'refuse', cause, remedy: TRUST };
  },
};

const TRUST =
  'make the dump anew with pg_dump, which never writes such a statement; or set `import: { trusted: true }` if you trust it like code';

/** `ALTER … OWNER TO somebody`: everything belongs to the application role, because that one makes it. */
function namesOwner(tokens: readonly SqlToken[]): boolean {
  const at = findWords(tokens, 'owner', 'to');
  if (at < 2) return false;
  const before = tokens[at - 1];
  // ALTER TABLE t RENAME [COLUMN] owner TO boss
  return !(before?.kind === 'word' && (before.text === 'rename' || before.text === 'column'));
}

/**
 * The owner too would then see and write only what the policies let it. pg_dump places this before the data, because a
 * superuser restores; a role that is none could neither fill such a table, nor a materialized view over it, nor count.
 */
function forcesRowSecurity(tokens: readonly SqlToken[]): boolean {
  return hasWords(tokens, 0, 'alter', 'table') && findWords(tokens, 'force', 'row', 'level', 'security') > 0;
}

function renameGrant(tokens: readonly SqlToken[], { database }: RuleContext): Decision | undefined {
  const at = findWords(tokens, 'on', 'database');
  return at < 0 ? undefined : rename(tokens[at + 2], database);
}

function rename(token: SqlToken | undefined, name: string): Decision | undefined {
  if (!isName(token)) return undefined;
  return { do: 'rewrite', start: token.start, end: token.end, text: quoteIdentifier(name) };
}
