import { BlockList, isIP } from 'node:net';
import { Problem } from '../problem.ts';
import { plainAddress } from './addresses.ts';

/** Answers for a host as the page wrote it, one of its addresses, and a port. */
export type Allowed = (host: string, address: string, port: number) => boolean;

type Rule = { port: number | undefined; matches(host: string, address: string): boolean };

/** "10.0.0.5:8080" is ["10.0.0.5", 8080]; "[::1]:80" is ["::1", 80]; "fd00::/8" has no port. */
function splitPort(entry: string): [string, number | undefined] {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return [bracketed[1] ?? '', bracketed[2] ? Number(bracketed[2]) : undefined];
  const plain = /^([^:]+):(\d+)$/.exec(entry);
  return plain ? [plain[1] ?? '', Number(plain[2])] : [entry, undefined];
}

function ruleOf(entry: string): Rule {
  const [name, port] = splitPort(entry);
  const bad = new Problem(
    `cannot read SCRAPER_ALLOW_PRIVATE: "${entry}" is neither a network (10.0.0.0/8), nor an address or a name, each with or without :port`,
  );
  if (port !== undefined && (port < 1 || port > 65_535)) throw bad;
  const [base = '', bits, ...rest] = name.split('/');
  const family = isIP(base);
  if (bits !== undefined && (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(bits))) throw bad;
  if (family === 0) {
    if (!/^[a-z0-9_]([a-z0-9._-]*[a-z0-9])?$/i.test(name)) throw bad;
    const wanted = name.toLowerCase();
    return { port, matches: (host) => host === wanted };
  }
  const widest = family === 4 ? 32 : 128;
  const width = bits === undefined ? widest : Number(bits);
  if (width > widest) throw bad;
  const list = new BlockList();
  list.addSubnet(base, width, family === 4 ? 'ipv4' : 'ipv6');
  return {
    port,
    matches: (_host, address) =>
      isIP(address) === family && list.check(address, family === 4 ? 'ipv4' : 'ipv6'),
  };
}

/**
 * Reads SCRAPER_ALLOW_PRIVATE: networks, addresses and names, each with or without a port, separated by
 * commas or blanks, that may be visited although they are not public.
 */
export function readAllowed(text: string): Allowed {
  const rules = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(ruleOf);
  return (host, address, port) => {
    const plain = plainAddress(address);
    const name = host.toLowerCase().replace(/\.$/, '');
    return rules.some((rule) => (rule.port === undefined || rule.port === port) && rule.matches(name, plain));
  };
}
