import type { Server } from 'node:http';
import { createConnection } from 'node:net';
import { codeOf, Failure, messageOf } from '../../base/errors.ts';

/** The two things about files that a socket needs. */
export interface SocketFiles {
  /** Makes the folder (mode 0700) where it is missing; false: it cannot be had or we may not write in it. */
  prepareFolder(path: string): boolean;
  /** Removes the path if it is a socket; throws if it is something else or cannot be removed. */
  removeSocket(path: string): void;
}

const PATIENCE_MS = 1000;

/**
 * Listens on the first of the paths that can be had, mode 0600, and tells which. A socket that is there already is
 * replaced only when nobody answers on it: the connection is refused, as only a dead owner leaves it.
 */
export async function listenOnFirst(
  server: Server,
  paths: readonly string[],
  files: SocketFiles,
): Promise<string> {
  const causes: string[] = [];
  for (const path of paths) {
    try {
      if (!files.prepareFolder(path.slice(0, path.lastIndexOf('/')))) {
        causes.push(`${path}: its folder cannot be written`);
        continue;
      }
      const found = await whatIsAt(path);
      if (found === 'answering') {
        causes.push(`${path}: another supervisor answers there`);
        continue;
      }
      if (found === 'stale') files.removeSocket(path);
      await listen(server, path);
      return path;
    } catch (error) {
      causes.push(`${path}: ${messageOf(error)}`);
    }
  }
  throw new Failure(`cannot open the control socket: ${causes.join('; ')}`, {
    code: 'no-control-socket',
    remedy: 'make /run/bulkhead or the data folder writable for the supervisor',
  });
}

/** Binding is synchronous, so nothing else is created under the narrow mask. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const mask = process.umask(0o177);
    try {
      server.listen({ path, exclusive: true }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(mask);
    }
  });
}

function whatIsAt(path: string): Promise<'nothing' | 'stale' | 'answering'> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    const settle = (what: 'nothing' | 'stale' | 'answering') => {
      socket.destroy();
      resolve(what);
    };
    // An owner that is too busy to accept is still an owner.
    socket.setTimeout(PATIENCE_MS, () => settle('answering'));
    socket.once('connect', () => settle('answering'));
    socket.once('error', (error) => {
      const code = codeOf(error);
      settle(code === 'ENOENT' ? 'nothing' : code === 'ECONNREFUSED' ? 'stale' : 'answering');
    });
  });
}
