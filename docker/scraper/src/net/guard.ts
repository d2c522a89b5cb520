import { lookup as systemLookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Problem, wordsOf } from '../problem.ts';
import { isPublic, plainAddress } from './addresses.ts';
import type { Allowed } from './allowed.ts';

/** All addresses of a name, as the system's resolver gives them. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** A host that may not be visited, with the reason. */
export class Refused extends Problem {}

export interface Guard {
  /** The addresses of `host` that may be connected to. Throws Refused where one of them may not. */
  check(host: string, port: number): Promise<readonly string[]>;
  /** A connection to an address that was checked: never does anything resolve the name a second time. */
  connect(host: string, port: number): Promise<Socket>;
}

const CONNECT_TIMEOUT_MS = 10_000;

async function resolveBySystem(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true, verbatim: false })).map(({ address }) => address);
}

/** Addresses of this machine: with host networking one of them may be public, and its ports are ours. */
function ownAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces())
      .flat()
      .map((one) => plainAddress(one?.address ?? '')),
  );
}

/**
 * Decides where connections may go. It looks at addresses, not at names: each name is resolved once,
 * every address of it is checked, and the connection goes to an address that was checked, so that
 * neither a redirect, nor odd spellings, nor a name that answers differently the next time gets through.
 */
export function makeGuard(allowed: Allowed, resolve: Resolve = resolveBySystem): Guard {
  const own = ownAddresses();
  const reasonAgainst = (host: string, address: string, port: number): string | undefined => {
    if (allowed(host, address, port)) return undefined;
    if (!isPublic(address)) return 'is not a public address';
    if (own.has(plainAddress(address))) return 'is an address of this machine';
    return port < 1024 && port !== 80 && port !== 443 ? `port ${port} is not one of the web` : undefined;
  };
  const check = async (host: string, port: number): Promise<readonly string[]> => {
    const bare = host.replace(/^\[|\]$/g, '');
    const addresses = isIP(bare) ? [bare] : await resolve(bare);
    if (addresses.length === 0) throw new Problem(`cannot find ${bare}: it has no address`);
    for (const address of addresses) {
      const reason = reasonAgainst(bare, address, port);
      if (!reason) continue;
      const named = address === bare ? bare : `${bare} (${address})`;
      throw new Refused(`refused ${named} port ${port}: ${reason}`);
    }
    return addresses;
  };
  return { check, connect: async (host, port) => open(await check(host, port), port) };
}

/** Tries the addresses in their order; each has its share of the time. */
async function open(addresses: readonly string[], port: number): Promise<Socket> {
  const causes: string[] = [];
  for (const address of addresses.slice(0, 4)) {
    try {
      return await openOne(address, port);
    } catch (error) {
      causes.push(wordsOf(error));
    }
  }
  throw new Problem(`cannot connect: ${causes.join('; ')}`);
}

function openOne(address: string, port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host: address, port, noDelay: true });
  const timer = setTimeout(() => socket.destroy(new Error(`${address} did not answer`)), CONNECT_TIMEOUT_MS);
  socket.once('error', reject);
  socket.once('close', () => clearTimeout(timer));
  socket.once('connect', () => {
    clearTimeout(timer);
    socket.off('error', reject);
    resolve(socket);
  });
  return promise;
}
