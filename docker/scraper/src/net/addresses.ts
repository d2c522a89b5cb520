import { BlockList, isIP } from 'node:net';

// IANA's special-purpose registries (IPv4, read 2026-11): all that is not a public host.
const special4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, and the clouds' metadata services
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
] as const;

// Of IPv6 only 2000::/3 is public, and in it these are not. What carries an IPv4 address inside is
// judged by that address.
const special6 = [
  ['2001::', 23], // Teredo, benchmarks, ORCHID
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4
  ['3fff::', 20],
] as const;

const refused4 = new BlockList();
for (const [address, bits] of special4) refused4.addSubnet(address, bits, 'ipv4');
const refused6 = new BlockList();
for (const [address, bits] of special6) refused6.addSubnet(address, bits, 'ipv6');
const public6 = new BlockList();
public6.addSubnet('2000::', 3, 'ipv6');
const carriers = new BlockList();
carriers.addSubnet('::ffff:0:0', 96, 'ipv6'); // IPv4-mapped
carriers.addSubnet('64:ff9b::', 96, 'ipv6'); // NAT64

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // URL writes every form the same way, dotted tails included.
  const plain = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const read = (part: string) => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const before = read(head);
  if (tail === undefined) return before;
  const after = read(tail);
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

/** The IPv4 address inside a mapped or NAT64 one; any other address as it is. */
export function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const bare = address.replace(/%.*$/, '');
  if (!carriers.check(bare, 'ipv6')) return bare;
  const [high = 0, low = 0] = groupsOf(bare).slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Whether an address is one of a host on the public internet. Not an address at all: no. */
export function isPublic(address: string): boolean {
  const plain = plainAddress(address);
  const family = isIP(plain);
  if (family === 4) return !refused4.check(plain, 'ipv4');
  return family === 6 && public6.check(plain, 'ipv6') && !refused6.check(plain, 'ipv6');
}
