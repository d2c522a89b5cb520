/** Where tests start our programs from: the bundle, which starts with half of the work, or the source it no longer is of. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const source = join(root, 'src');
const bundle = join(root, 'dist', 'main.js');

/** `npm test` builds first; who runs one file after a change tests the change. */
export const ownMain: string = isFresh() ? bundle : join(source, 'main.ts');

function isFresh(): boolean {
  if (!existsSync(bundle)) return false;
  const built = statSync(bundle).mtimeMs;
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  return files
    .filter((name) => name.endsWith('.ts'))
    .every((name) => statSync(join(source, name)).mtimeMs <= built);
}
