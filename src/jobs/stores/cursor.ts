/** Where a list went on: opaque to people, and checked when it comes back. */
import { StoreRefusal } from '../store.ts';

export function writeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws StoreRefusal `bad-cursor` where it is none of ours */
export function readCursor(cursor: string, shape: readonly ('string' | 'number')[]): (string | number)[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  if (
    Array.isArray(parts) &&
    parts.length === shape.length &&
    shape.every((kind, index) => typeof parts[index] === kind)
  )
    return parts;
  throw new StoreRefusal('bad-cursor', 'cannot go on with the list: the cursor is not of this store');
}
