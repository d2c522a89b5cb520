/** What copies need of a place far away; how it is spoken to is known to `s3-store.ts` alone. */

export interface StoredObject {
  /** Below the prefix of the product. */
  readonly key: string;
  readonly size: number;
}

export interface Upload {
  readonly size: number;
  readonly sha256: string;
}

export interface Store {
  /** For people: `s3://bucket/prefix`. */
  readonly where: string;
  /** A file, in parts where it is large. The store checks the hash of what arrives, and its size is asked for afterwards. */
  putFile(key: string, path: string, upload: Upload): Promise<void>;
  putText(key: string, text: string): Promise<void>;
  /** Undefined where there is none. `sha256`: what it was said to be when it was put there. */
  head(key: string): Promise<{ readonly size: number; readonly sha256: string | undefined } | undefined>;
  list(folder: string): AsyncIterable<StoredObject>;
  /** Folders directly below, without slashes. */
  listFolders(folder: string): Promise<readonly string[]>;
  /** Undefined where there is none. */
  getText(key: string): Promise<string | undefined>;
  get(key: string): Promise<AsyncIterable<Uint8Array>>;
  remove(keys: readonly string[]): Promise<void>;
  close(): void;
}
