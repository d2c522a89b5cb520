/** One fault: how it is made and unmade, and what should be said of it. */
import type { Container } from '../../test/image/container.ts';
import type { Hook } from './hook.ts';
import type { Health } from './watch.ts';

export interface Subject {
  readonly container: Container;
  /** Gets the alerts. */
  readonly hook: Hook;
  /** Would get them, and answers 500 until it is told otherwise. */
  readonly deaf: Hook;
  /** The machine's folder that is mounted as this fault asks for. */
  readonly folder: string;
  /** For what is measured by the way and belongs into the table. */
  note(text: string): void;
}

/** A figure of /metrics. */
export interface Figure {
  /** For the table. */
  readonly name: string;
  /** Undefined: it is not there. */
  readonly read: (exposition: string) => number | undefined;
  readonly says: (value: number, before: number) => boolean;
}

export interface Fault {
  readonly name: string;
  /** For the table. */
  readonly what: string;
  /** Laid over full.yaml; `DEAF` stands for an address that answers 500. */
  readonly plan?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** More arguments of `docker run`. @param folder an empty folder of this fault's own */
  readonly args?: (folder: string) => Promise<readonly string[]>;
  /** Undefined: /data is a volume. */
  readonly data?: 'tmpfs';
  /** The container is not ready before the fault either. */
  readonly neverReady?: true;
  readonly begin: (subject: Subject) => Promise<void>;
  readonly end: (subject: Subject) => Promise<void>;
  /** Undefined: it must not be touched. */
  readonly health?: (health: Health) => boolean;
  /** Undefined: no figure is about it. */
  readonly metric?: Figure;
  /** The fingerprint of the alert; undefined: nobody is to be woken. */
  readonly alert?: string;
  /** So long all of it is waited for, s. */
  readonly patience: number;
  /** And for its end. */
  readonly endPatience: number;
  /** Afterwards: that the product is whole. */
  readonly check?: (subject: Subject) => Promise<void>;
}
