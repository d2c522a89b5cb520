/**
 * `sslmode` and its companions, as libpq means them (libpq, "SSL Support"). node-postgres reads the same words of a URL
 * in another way (its `require` verifies), so it is never given the URL.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type ConnectionOptions,
  checkServerIdentity,
  getCACertificates,
  type PeerCertificate,
} from 'node:tls';
import { Failure, messageOf } from '../base/errors.ts';

/** What one try to connect does about encryption; false: nothing. */
export type TlsTry = false | ConnectionOptions;

/** In the order of the tries: `prefer` goes on without where the server has none, `allow` the other way round. */
export function tlsTries(parameters: Readonly<Record<string, string>>, host: string): readonly TlsTry[] {
  const mode = parameters.sslmode ?? (parameters.sslrootcert === 'system' ? 'verify-full' : 'prefer');
  switch (mode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, tlsOptions('allow', parameters, host)];
    case 'prefer':
      return [tlsOptions('prefer', parameters, host), false];
    default:
      return [tlsOptions(mode, parameters, host)];
  }
}

function tlsOptions(
  mode: string,
  parameters: Readonly<Record<string, string>>,
  host: string,
): ConnectionOptions {
  const ca = readRoots(mode, parameters);
  // A root that is there is used: `require` then is `verify-ca`, as in libpq.
  const verifies = mode.startsWith('verify-') || (mode === 'require' && ca !== undefined);
  const named = mode === 'verify-full';
  const [cert, key] = readClientCertificate(parameters);
  return {
    rejectUnauthorized: verifies,
    checkServerIdentity: (_servername: string, certificate: PeerCertificate) =>
      // Node looks at the common name only where no name stands beside it, as libpq does.
      named ? checkServerIdentity(host, certificate) : undefined,
    minVersion: tlsVersion(parameters.ssl_min_protocol_version) ?? 'TLSv1.2',
    ...limitVersion(tlsVersion(parameters.ssl_max_protocol_version)),
    ...(verifies && ca !== undefined ? { ca: typeof ca === 'string' ? ca : [...ca] } : {}),
    ...(verifies ? readRevocations(parameters) : {}),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined
      ? {}
      : { key, ...(parameters.sslpassword ? { passphrase: parameters.sslpassword } : {}) }),
    // Else node-postgres names the address, where `hostaddr` gives one.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
}

/** Undefined: there are none, and none are needed. */
function readRoots(
  mode: string,
  { sslrootcert }: Readonly<Record<string, string>>,
): string | readonly string[] | undefined {
  if (sslrootcert === 'system') return systemRoots();
  const path = sslrootcert || join(homedir(), '.postgresql', 'root.crt');
  if (existsSync(path)) return readPart('root certificate', path);
  if (!mode.startsWith('verify-')) return undefined;
  throw new Failure(`cannot verify the server: there is no root certificate ${path}`, {
    remedy:
      'mount it and name it in DATABASE_URL with sslrootcert=/path, or write sslrootcert=system for the roots of the system',
    code: 'database-tls',
  });
}

/** Slim images have no certificates of their own; those Node brings are Mozilla's as well. */
function systemRoots(): readonly string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? [...system, ...getCACertificates('extra')] : getCACertificates('default');
}

function readRevocations({ sslcrl, sslcrldir }: Readonly<Record<string, string>>): { crl?: string[] } {
  const files = [
    ...(sslcrl ? [sslcrl] : []),
    ...(sslcrldir ? readdirSync(sslcrldir).map((name) => join(sslcrldir, name)) : []),
  ];
  return files.length === 0 ? {} : { crl: files.map((path) => readPart('revocation list', path)) };
}

function readClientCertificate({ sslcert, sslkey }: Readonly<Record<string, string>>): [string?, string?] {
  const folder = join(homedir(), '.postgresql');
  const cert = sslcert || join(folder, 'postgresql.crt');
  if (!sslcert && !existsSync(cert)) return [];
  return [
    readPart('client certificate', cert),
    readPart('client key', sslkey || join(folder, 'postgresql.key')),
  ];
}

function readPart(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure(`cannot read the ${what} that DATABASE_URL names: ${messageOf(cause)}`, {
      remedy: `mount ${path} where uid ${process.geteuid?.() ?? 0} may read it`,
      code: 'database-tls',
      cause,
    });
  }
}

type Version = NonNullable<ConnectionOptions['minVersion']>;

function tlsVersion(text: string | undefined): Version | undefined {
  const known: readonly Version[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
  return known.find((version) => version.toLowerCase() === text?.toLowerCase());
}

function limitVersion(maxVersion: Version | undefined): { maxVersion?: Version } {
  return maxVersion === undefined ? {} : { maxVersion };
}
