import type { Children } from '../children.ts';
import type { Peer } from '../peers/peer.ts';

export interface Setting {
  readonly peers: readonly Peer[];
  readonly children: Children;
  /** How many children the rows of one, ten, … have. */
  readonly counts: readonly number[];
  /** Small and short: to try the bench itself. */
  readonly quick: boolean;
  say(text: string): void;
}

/** A figure of one peer, under the title of its column. */
export interface Figure {
  readonly peer: string;
  readonly column: string;
  readonly value: number;
}

export interface Measure {
  readonly name: string;
  readonly title: string;
  /** What was measured and how, for the reader of the table. */
  readonly how: string;
  run(setting: Setting): Promise<readonly Figure[]>;
}
