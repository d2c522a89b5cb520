/** The system user the cluster belongs to. */
import { Failure } from '../base/errors.ts';
import { currentIdentity, findIdentity, type Identity } from '../system/users.ts';

/**
 * Whom the server runs as: the plan's user when we are root, ourselves otherwise. PostgreSQL refuses root, so a
 * missing user is a failure and never a fallback.
 */
export function databaseUser(name: string): Identity {
  if (process.geteuid?.() !== 0) return currentIdentity();
  const user = findIdentity(name);
  if (user.uid !== 0) return user;
  throw new Failure('cannot run PostgreSQL as root', {
    remedy: 'name an unprivileged user as the database user',
  });
}

/** Peer authentication looks the caller's uid up in passwd, so it is possible only for a uid that stands there. */
export function canUsePeer(user: Identity): boolean {
  return user.name !== String(user.uid);
}
