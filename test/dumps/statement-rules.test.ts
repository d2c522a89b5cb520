import { expect, test } from 'vitest';
import { SqlSplitter } from '../../src/dumps/sql-splitter.ts';
import type { SqlToken } from '../../src/dumps/sql-tokens.ts';
import { neededRoles } from '../../src/dumps/statement-facts.ts';
import { decide } from '../../src/dumps/statement-rules.ts';

const context = { appUser: 'app"user', database: 'scratch', serverVersion: 150_000 };

function tokensOf(sql: string): readonly SqlToken[] {
  for (const piece of new SqlSplitter().push(Buffer.from(`${sql};`)))
    if (piece.kind === 'statement') return piece.tokens;
  return [];
}

function result(sql: string): string {
  const decision = decide(tokensOf(sql), context);
  if (decision.do === 'rewrite')
    return sql.slice(0, decision.start) + decision.text + sql.slice(decision.end);
  return decision.do === 'skip'
    ? `skip: ${decision.why}`
    : decision.do === 'refuse'
      ? decision.cause
      : decision.do;
}

test.each([
  ['ALTER TABLE public.t OWNER TO old', 'skip: owner'],
  ['ALTER FUNCTION public.f(integer, "owner to" text) OWNER TO "Old One"', 'skip: owner'],
  ['ALTER TABLE t RENAME owner TO boss', 'run'],
  ['ALTER TABLE t RENAME COLUMN owner TO boss', 'run'],
  ['ALTER TABLE ONLY public.t FORCE ROW LEVEL SECURITY', 'defer'],
  ['ALTER TABLE public.t ENABLE ROW LEVEL SECURITY', 'run'],
  ['ALTER DATABASE tools SET timezone TO UTC', 'ALTER DATABASE "scratch" SET timezone TO UTC'],
  [
    'ALTER DEFAULT PRIVILEGES FOR ROLE old IN SCHEMA public GRANT SELECT ON TABLES TO r',
    'ALTER DEFAULT PRIVILEGES FOR ROLE "app""user" IN SCHEMA public GRANT SELECT ON TABLES TO r',
  ],
  ['GRANT CONNECT ON DATABASE "my tools" TO r', 'GRANT CONNECT ON DATABASE "scratch" TO r'],
  ["COMMENT ON DATABASE tools IS 'it'", 'COMMENT ON DATABASE "scratch" IS \'it\''],
  ["COMMENT ON EXTENSION plpgsql IS 'it'", 'skip: comment on plpgsql'],
  ['CREATE SCHEMA public', 'CREATE SCHEMA IF NOT EXISTS public'],
  ['CREATE SCHEMA IF NOT EXISTS public', 'run'],
  ['CREATE SCHEMA "Public"', 'run'],
  ['SET transaction_timeout = 0', 'skip: transaction_timeout'],
  ["SET SESSION AUTHORIZATION 'old'", 'skip: session authorization'],
  ["SET default_tablespace = ''", 'run'],
  ['SET default_tablespace = fast', 'skip: tablespace'],
  ["COPY t FROM PROGRAM 'id'", 'COPY … PROGRAM runs a command on this machine'],
  ["copy (select 1) to program 'id'", 'COPY … PROGRAM runs a command on this machine'],
  ["COPY t TO '/tmp/x'", 'COPY with a file name reads or writes a file of this machine'],
  ['COPY public.program ("from") FROM stdin', 'run'],
])('%s → %s', (sql, expected) => {
  expect(result(sql)).toBe(expected);
});

test.each([
  ['GRANT SELECT ON TABLE t TO a, "B c" WITH GRANT OPTION', ['a', 'B c']],
  ['GRANT ALL ON SCHEMA public TO PUBLIC', []],
  ['REVOKE ALL ON TABLE t FROM a', ['a']],
  ['CREATE POLICY p ON t FOR SELECT TO reader USING ((owner = CURRENT_USER))', ['reader']],
  ['CREATE POLICY p ON t USING (true)', []],
  ['ALTER DEFAULT PRIVILEGES FOR ROLE o IN SCHEMA s GRANT SELECT ON TABLES TO reader', ['reader']],
])('%s needs the roles %j', (sql, roles) => {
  expect(neededRoles(tokensOf(sql))).toEqual(roles);
});

test('transaction_timeout stays where the server knows it', () => {
  expect(decide(tokensOf('SET transaction_timeout = 0'), { ...context, serverVersion: 170_004 })).toEqual({
    do: 'run',
  });
});
