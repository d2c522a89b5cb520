/** What waits for the next start, and what is kept of before: for a person who looks at a volume from outside. */
import { messageOf } from '../base/errors.ts';
import { keptUntil, listKeptClusters } from './kept-clusters.ts';
import { layoutOf } from './layout.ts';
import { readOperation } from './operation.ts';

export interface ClusterOutlook {
  /** One clause: what the next start does about an operation; undefined: there is none. */
  readonly pending: string | undefined;
  /** Why that cannot be told; undefined where it can. */
  readonly problem: string | undefined;
  /** Newest first. */
  readonly kept: readonly { readonly name: string; readonly major: number; readonly until: string }[];
}

const NEXT = {
  asked: 'is asked for: the next start does it',
  build: 'is at work, or was interrupted: the next start drops what it left',
  built: 'is whole, and nobody has said yes yet: the next start drops it',
  flip: 'is ready: the next start puts it in force',
} as const;

export function readOutlook(dataDir: string): ClusterOutlook {
  const layout = layoutOf(dataDir, '/');
  const kept = listKeptClusters(layout).map((each) => ({
    name: each.name,
    major: each.major,
    until: keptUntil(each),
  }));
  try {
    const operation = readOperation(layout);
    const pending = operation && `the ${operation.what} ${NEXT[operation.step]}`;
    return { pending, problem: undefined, kept };
  } catch (error) {
    return { pending: undefined, problem: messageOf(error), kept };
  }
}
