/** Who asks, and what they may. */
import { isAtLeast, type Role } from '../config/roles.ts';
import { Problem } from './problem.ts';
import type { KnownToken } from './token-book.ts';

export interface Caller {
  readonly role: Role;
  /** For the audit log: `token grafana`, `session of grafana`, `loopback`. */
  readonly actor: string;
  /** Undefined: it showed none, as the loopback need not to read. */
  readonly token: KnownToken | undefined;
  readonly by: 'token' | 'session' | 'loopback';
  /** Of a session: the value of its cookie. */
  readonly cookie?: string;
  /** Of a session: ms since the epoch. */
  readonly endsAt?: number;
}

export const LOOPBACK: Caller = { role: 'viewer', actor: 'loopback', token: undefined, by: 'loopback' };

/** Throws a Problem where the caller's role is too small. */
export function requireRole({ role, actor, token }: Caller, needed: Role): void {
  if (isAtLeast(role, needed)) return;
  if (token === undefined) throw unauthorized(`a token of the role ${needed} is needed`);
  throw new Problem(403, 'role-needed', `this needs the role ${needed}; ${actor} is ${article(role)}`, {
    role: needed,
    remedy: `use a token of that role; one is made by: bulkhead token create NAME --role ${needed}`,
  });
}

export function unauthorized(detail: string): Problem {
  return new Problem(401, 'unauthorized', detail, {
    remedy:
      'send Authorization: Bearer TOKEN; the token is BULKHEAD_TOKEN, or in secrets/token of the volume, or one made by: bulkhead token create',
    headers: { 'www-authenticate': 'Bearer realm="bulkhead"' },
  });
}

function article(role: Role): string {
  return role === 'viewer' ? 'a viewer' : `an ${role}`;
}
