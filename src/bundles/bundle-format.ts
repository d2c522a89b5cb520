/**
 * A bundle is one tar: its marker first, so that its first bytes say what it is; then what it brings; and its manifest
 * last, so that whoever writes and whoever reads it does so in one pass. One without its manifest was cut off.
 */
import { Failure, messageOf } from '../base/errors.ts';
import { BUNDLE_MARKER } from '../dumps/dump-format.ts';
import type { TableFingerprint } from '../postgres/fingerprint.ts';

export const DUMP = 'database.dump';
export const ASSETS = 'assets';
export const ENVIRONMENT = 'app.env';
export const SEALED_ENVIRONMENT = 'app.env.age';
export const MANIFEST = 'manifest.json';
/** 2 since fingerprints are of their second form, which a build that knows 1 alone would take for damage. */
const SCHEMA = 2;
const KNOWN: readonly unknown[] = [1, SCHEMA];

/** A member as it stands in the tar. */
export interface Member {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** Bytes; 0 but for files. */
  readonly size: number;
  /** Of a file, in hex. */
  readonly sha256?: string;
  /** Of a symlink. */
  readonly target?: string;
}

export interface BundleDatabase {
  readonly name: string;
  /** Whom it was read as. */
  readonly user: string;
  /** `15.14` */
  readonly serverVersion: string;
  /** Of pg_dump. */
  readonly clientMajor: number;
  /** Where it was shown to restore: `readable`: pg_restore reads all of it; `restored`: and every row came out again. */
  readonly verified: 'readable' | 'restored';
  /** In the snapshot of the dump. */
  readonly tables: readonly TableFingerprint[];
  /** Whether the large objects are among them; a role that is no superuser may not read them all. */
  readonly largeObjects: boolean;
}

export interface BundleManifest {
  readonly schema: 1 | typeof SCHEMA;
  /** ISO 8601: the moment of the dump's snapshot. */
  readonly createdAt: string;
  readonly tool: string;
  readonly database: BundleDatabase;
  readonly assets: { readonly files: number; readonly bytes: number } | undefined;
  /** Names of variables: left out altogether, or only in the encrypted file. */
  readonly environment:
    | { readonly leftOut: readonly string[]; readonly sealed: readonly string[] }
    | undefined;
  /** Everything before it, in order. */
  readonly members: readonly Member[];
}

export function markerText(): string {
  return `${JSON.stringify({ what: 'a bundle of Bulkhead', schema: SCHEMA })}\n`;
}

export function newManifest(facts: Omit<BundleManifest, 'schema'>): BundleManifest {
  return { schema: SCHEMA, ...facts };
}

/** @throws Failure where it is not of a form this version knows. `what`: the marker or the manifest. */
export function parseManifest(text: string, bundle: string): BundleManifest {
  const manifest = parse(text, bundle, MANIFEST) as BundleManifest;
  if (!Array.isArray(manifest.members) || !Array.isArray(manifest.database?.tables)) {
    throw damagedBundle(bundle, `its ${MANIFEST} does not say what is in it`);
  }
  return manifest;
}

export function checkMarker(text: string, bundle: string): void {
  parse(text, bundle, BUNDLE_MARKER);
}

function parse(text: string, bundle: string, name: string): object {
  let found: { schema?: unknown };
  try {
    found = JSON.parse(text);
    if (typeof found !== 'object' || found === null) throw new Error('it is no object');
  } catch (cause) {
    throw damagedBundle(bundle, `${name} cannot be understood (${messageOf(cause)})`);
  }
  if (KNOWN.includes(found.schema)) return found;
  if (typeof found.schema === 'number' && found.schema > SCHEMA) {
    throw new Failure(
      `cannot use the bundle ${bundle}: it is of form ${found.schema}, and this version of Bulkhead knows ${KNOWN.join(' and ')}`,
      {
        remedy: 'use an image with the version of Bulkhead that made it, or a newer one; nothing was changed',
        code: 'newer',
      },
    );
  }
  throw damagedBundle(bundle, `${name} names no form of a bundle`);
}

export function damagedBundle(bundle: string, why: string): Failure {
  return new Failure(`cannot use the bundle ${bundle}: ${why}`, {
    remedy: 'copy it again, or make it anew: bundle create on the old host; nothing was changed',
    code: 'damaged',
  });
}
