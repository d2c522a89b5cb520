/** What `bundle create` is asked for, and what it answers. */

/** 128 and SIGINT, as shells tell it. */
export const DIED_BY_SIGNAL = 130;

export interface BundleRequest {
  /** DATABASE_URL: a secret. */
  readonly url: string;
  /** Absolute. */
  readonly output: string;
  /** Absolute. */
  readonly assets: readonly string[];
  /** Absolute. */
  readonly envFile: string | undefined;
  /** What the secrets of the environment file are encrypted to; undefined: they are left out. */
  readonly passphrase: string | undefined;
  readonly signal: AbortSignal;
  /** A line for people. */
  readonly tell: (text: string) => void;
}

export interface BundleCreated {
  readonly path: string;
  /** Bytes */
  readonly size: number;
  readonly sha256: string;
  readonly database: string;
  readonly rows: number;
  readonly tables: number;
  readonly verified: 'readable' | 'restored';
  /** Why it was not restored to see that it can be; undefined: it was. */
  readonly untried: string | undefined;
  /** false: the role may not read them, so they are in the dump only as far as pg_dump could, and not compared. */
  readonly largeObjects: boolean;
  readonly assets:
    | {
        readonly files: number;
        readonly bytes: number;
        readonly skipped: readonly string[];
        readonly torn: readonly string[];
      }
    | undefined;
  /** Names of variables. */
  readonly environment:
    | { readonly leftOut: readonly string[]; readonly sealed: readonly string[] }
    | undefined;
}
