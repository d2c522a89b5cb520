/**
 * The roles of a dump of pg_dumpall, understood word by word: nothing of its text ever runs as the superuser. What we
 * know becomes values, from which statements of our own are made; what we do not know is told, and left out or refused.
 */
import { findWords, hasWords, isName, type SqlToken } from './sql-tokens.ts';

export interface DumpedRole {
  readonly name: string;
  login: boolean;
  inherit: boolean;
  /** SUPERUSER and its like, as pg_dumpall writes them: kept only where the dump is trusted. */
  elevated: string[];
  /** A verifier (`SCRAM-SHA-256$…`, `md5…`), or in very old dumps a password. */
  password: string | undefined;
  connectionLimit: number | undefined;
  /** As a literal, quotes and all. */
  validUntil: string | undefined;
  comment: string | undefined;
}

export interface RoleSetting {
  readonly role: string;
  /** Only in this database. */
  readonly database: string | undefined;
  readonly name: string;
  /** Literals, quotes and all. */
  readonly values: readonly string[];
}

export interface Membership {
  readonly role: string;
  readonly member: string;
  readonly admin: boolean;
}

const ELEVATING = new Set(['superuser', 'createdb', 'createrole', 'replication', 'bypassrls']);
/** Of the first words of a statement before the first \connect: says nothing that is wanted here. */
const PASSED_OVER =
  /^(set|reset|select|drop|update pg_|create database|alter database|(grant|revoke) .*on database)/;
const LEFT_OUT = /^(create tablespace|alter tablespace|comment on tablespace|security label|(grant|revoke) )/;

export class ClusterRoles {
  readonly roles = new Map<string, DumpedRole>();
  readonly settings: RoleSetting[] = [];
  readonly memberships: Membership[] = [];
  /** What was left out, and how often. */
  readonly leftOut = new Map<string, number>();

  /** False where the statement is none that pg_dumpall writes. */
  take(tokens: readonly SqlToken[]): boolean {
    if (hasWords(tokens, 0, 'create', 'role') || hasWords(tokens, 0, 'create', 'user')) {
      const name = tokens[2];
      if (!isName(name)) return false;
      this.readAttributes(this.roleOf(name.text), tokens.slice(3));
      return true;
    }
    if (hasWords(tokens, 0, 'alter', 'role') || hasWords(tokens, 0, 'alter', 'user'))
      return this.takeAlter(tokens);
    if (hasWords(tokens, 0, 'comment', 'on', 'role')) return this.takeComment(tokens);
    if (hasWords(tokens, 0, 'grant') && findWords(tokens, 'on') < 0) return this.takeMembership(tokens);
    const words = tokens.map(({ text }) => text).join(' ');
    if (PASSED_OVER.test(words)) return true;
    if (!LEFT_OUT.test(words)) return false;
    const what = words.split(' ').slice(0, 3).join(' ');
    this.leftOut.set(what, (this.leftOut.get(what) ?? 0) + 1);
    return true;
  }

  /** Whether it is a setting of a role, as they also stand among the statements of a database. */
  static isSetting(tokens: readonly SqlToken[]): boolean {
    return hasWords(tokens, 0, 'alter', 'role') && findWords(tokens, 'set') > 0;
  }

  private takeAlter(tokens: readonly SqlToken[]): boolean {
    const name = tokens[2];
    if (!isName(name)) return false;
    const at = findWords(tokens, 'set');
    if (at < 0) {
      this.readAttributes(this.roleOf(name.text), tokens.slice(3));
      return true;
    }
    const database = hasWords(tokens, 3, 'in', 'database') ? tokens[5]?.text : undefined;
    const setting = tokens[at + 1];
    const values = tokens
      .slice(at + 3)
      .filter(({ kind, text }) => kind !== 'other' || (text !== ',' && text !== ';'));
    const plain = values.every((token) => isLiteral(token) || /^(true|false|on|off|\d+)$/.test(token.text));
    if (!isName(setting) || values.length === 0 || !plain) return false;
    this.settings.push({
      role: name.text,
      database,
      name: setting.text,
      values: values.map((token) => (isLiteral(token) ? token.text : `'${token.text}'`)),
    });
    return true;
  }

  private takeComment(tokens: readonly SqlToken[]): boolean {
    const [name, , text] = tokens.slice(3);
    if (!isName(name) || text === undefined) return false;
    if (isLiteral(text)) this.roleOf(name.text).comment = text.text;
    return true;
  }

  /** `GRANT a TO b [WITH ADMIN OPTION | WITH ADMIN TRUE, …] [GRANTED BY c]` */
  private takeMembership(tokens: readonly SqlToken[]): boolean {
    const [, role, to, member] = tokens;
    if (!isName(role) || !isName(member) || to?.text !== 'to') return false;
    const admin = findWords(tokens, 'admin', 'option') > 0 || findWords(tokens, 'admin', 'true') > 0;
    this.memberships.push({ role: role.text, member: member.text, admin });
    return true;
  }

  private readAttributes(role: DumpedRole, tokens: readonly SqlToken[]): void {
    tokens.forEach(({ kind, text }, at) => {
      const next = tokens[at + 1];
      if (kind !== 'word') return;
      if (text === 'login' || text === 'nologin') role.login = text === 'login';
      else if (text === 'inherit' || text === 'noinherit') role.inherit = text === 'inherit';
      else if (ELEVATING.has(text)) role.elevated.push(text.toUpperCase());
      else if (text === 'password' && next && isLiteral(next)) role.password = unquote(next.text);
      else if (text === 'until' && next && isLiteral(next)) role.validUntil = next.text;
      else if (text === 'limit' && next?.kind === 'word') role.connectionLimit = Number(next.text);
    });
  }

  private roleOf(name: string): DumpedRole {
    const known = this.roles.get(name);
    if (known) return known;
    const role: DumpedRole = {
      name,
      login: false,
      inherit: true,
      elevated: [],
      password: undefined,
      connectionLimit: undefined,
      validUntil: undefined,
      comment: undefined,
    };
    this.roles.set(name, role);
    return role;
  }
}

/** A string constant that means itself wherever it is put: nothing in it can end it early. */
function isLiteral({ kind, text }: SqlToken): boolean {
  return kind === 'text' && (/^'(?:[^'\\]|'')*'$/.test(text) || /^[eE]'(?:[^'\\]|''|\\[\s\S])*'$/.test(text));
}

function unquote(literal: string): string {
  return literal
    .replace(/^[eE]?'|'$/g, '')
    .replaceAll("''", "'")
    .replaceAll('\\\\', '\\');
}
