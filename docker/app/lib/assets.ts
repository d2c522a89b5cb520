import { constants, existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

// What the scraper writes, and nothing else: kind, tool, hash of the content. No dot but the one of the ending, no
// slash but ours, so a path made of it stays below the folder.
const KIND = /^(logos|screenshots)$/;
const NAME = /^\d{1,10}-[0-9a-f]{16}\.webp$/;

/** Where logos/ and screenshots/ are. */
export const assetsFolder = (): string => process.env.ASSETS_DIR || '/data/assets';

/** Next's build must not take a folder of the machine for a part of the app: the comment is for it. */
const fileOf = (kind: string, name: string) => join(/* turbopackIgnore: true */ assetsFolder(), kind, name);

const seen = new Set<string>();
const MOST_SEEN = 50_000;

/**
 * The address of a picture that a row names; null where there is none, or where its file is not there, as after a
 * restore of the database alone: then the drawn logo stands in. Names hold a hash, so what was seen once is not asked
 * for again.
 */
export function assetAddress(path: string | null): string | null {
  if (!path) return null;
  const [kind = '', name = '', ...rest] = path.split('/');
  if (!KIND.test(kind) || !NAME.test(name) || rest.length > 0) return null;
  if (!seen.has(path)) {
    if (!existsSync(fileOf(kind, name))) return null;
    if (seen.size >= MOST_SEEN) seen.clear();
    seen.add(path);
  }
  return `/assets/${path}`;
}

/** Opens a picture for reading; null for any name that is not one of ours, and for links and folders. */
export async function openAsset(kind: string, name: string): Promise<{ file: FileHandle; size: number } | null> {
  if (!KIND.test(kind) || !NAME.test(name)) return null;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(fileOf(kind, name), flags).catch(() => null);
  if (!file) {
    seen.delete(`${kind}/${name}`);
    return null;
  }
  const about = await file.stat();
  if (about.isFile()) return { file, size: about.size };
  await file.close();
  return null;
}
