import type { ChildProcess } from 'node:child_process';

export interface Service {
  readonly name: string;
  readonly argv: readonly string[];
}

export interface Wish {
  readonly services: readonly Service[];
  /** Restart as fast as it honestly can; else its defaults. */
  readonly fast: boolean;
  /** Each service's output is to be kept in files of its own. */
  readonly logged: boolean;
  /** Each service as another user and with limits of its own. */
  readonly confined: boolean;
}

/** One supervisor made ready to run in a folder of its own. */
export interface Contender {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Asks it to stop everything and end. */
  stop(child: ChildProcess): void;
  /** The command that shows how its services are; undefined: it has none. */
  readonly status: readonly string[] | undefined;
  /** The files a service's lines are in, as a folder: all of its files count. */
  logFolder(service: string): string;
}

export interface Peer {
  readonly name: string;
  /** Undefined: it is not installed here. */
  version(): string | undefined;
  /** What it was told, beyond its defaults, and where the comparison is unfair to it or to others. */
  readonly settings: string;
  prepare(folder: string, wish: Wish): Contender;
}
