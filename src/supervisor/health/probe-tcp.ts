import { connect, type Socket } from 'node:net';
import { codeOf, messageOf } from '../../base/errors.ts';

const LOOPBACK = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Opens a connection; `localhost` means both loopback addresses, whatever /etc/hosts says or lacks.
 * An abort closes it.
 */
export function openConnection(target: Target, signal: AbortSignal): Socket {
  if ('path' in target) return connect({ path: target.path, signal });
  return connect({ host: target.host, port: target.port, signal, ...localLookup(target.host) });
}

/** Options for node:net and node:http that find `localhost` without asking a resolver. */
export function localLookup(host: string): { lookup?: typeof lookupLocal; autoSelectFamily?: boolean } {
  return host === 'localhost' || host.endsWith('.localhost')
    ? { lookup: lookupLocal, autoSelectFamily: true }
    : {};
}

type LookupResult = (error: null, addresses: typeof LOOPBACK | string, family?: number) => void;

function lookupLocal(_host: string, options: { all?: boolean | undefined }, done: LookupResult): void {
  if (options.all) done(null, LOOPBACK);
  else done(null, '127.0.0.1', 4);
}

/** Does it accept a connection? Resolves with why not, or undefined. */
export function askTcp(target: Target, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = openConnection(target, signal);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error) => resolve(explainConnection(error, target)));
  });
}

/** "connection refused at 127.0.0.1:3000", for people. */
export function explainConnection(error: unknown, target: Target): string {
  // Two addresses were tried: both causes are in one error without a message.
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const where = 'path' in target ? target.path : `${target.host}:${target.port}`;
  switch (codeOf(cause)) {
    case 'ECONNREFUSED':
      return `connection refused at ${where}`;
    case 'ENOENT':
      return `no socket at ${where}`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `connection closed by ${where}`;
    default:
      return `cannot connect to ${where}: ${messageOf(cause)}`;
  }
}
