import { lstatSync, rmSync } from 'node:fs';
import { Failure } from '../base/errors.ts';

/** Removes a socket that nobody answers on. Throws where the path is something else: it is not ours to delete. */
export function removeSocket(path: string): void {
  if (!lstatSync(path).isSocket()) {
    throw new Failure(`cannot replace ${path}: it is no socket`, { remedy: 'move it away' });
  }
  rmSync(path);
}
