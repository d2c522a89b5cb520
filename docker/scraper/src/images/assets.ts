import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type AssetKind = 'logos' | 'screenshots';

const kinds = ['logos', 'screenshots'] as const;

/** A tmp file older than this belongs to nobody who still writes it: no job lives that long. */
const TMP_LIFE_MS = 3_600_000;

/** Makes the names of a folder last: fsync(2) asks for it. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Puts a picture into the assets folder and gives its path below it, "logos/17-0f3a….webp". The name is made of the
 * content, so a retry finds its own work done and a file never changes under its name.
 */
export async function keepAsset(
  assets: string,
  kind: AssetKind,
  tool: number,
  content: Buffer,
): Promise<string> {
  const folder = join(assets, kind);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const path = `${kind}/${tool}-${hash}.webp`;
  await mkdir(folder, { recursive: true });
  if ((await stat(join(assets, path)).catch(() => undefined))?.size === content.length) return path;
  const temporary = join(folder, `.${tool}-${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      // Exact, whatever the umask: the app reads it as another user.
      await file.chmod(0o644);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(assets, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
  return path;
}

/**
 * Removes what a tool no longer shows: its older files, those of an attempt that was killed between file and
 * database among them, and tmp files that a kill left behind, whosever they are. `keep` are paths below `assets`.
 */
export async function sweepAssets(
  assets: string,
  tool: number,
  keep: readonly (string | null)[],
): Promise<number> {
  let removed = 0;
  for (const kind of kinds) {
    for (const name of await readdir(join(assets, kind)).catch(() => [])) {
      const ours = name.startsWith(`${tool}-`) && name.endsWith('.webp') && !keep.includes(`${kind}/${name}`);
      if (!ours && !(name.endsWith('.tmp') && (await isOlder(join(assets, kind, name), TMP_LIFE_MS))))
        continue;
      await rm(join(assets, kind, name), { force: true });
      removed += 1;
    }
  }
  return removed;
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ms;
}

/** A picture may lie there before the row that names it. Far longer than any job takes. */
const UNSHOWN_LIFE_MS = 86_400_000;

/** Removes pictures of ours that `shown` does not name, once they are a day old; what others put there stays. */
export async function removeUnshown(assets: string, shown: ReadonlySet<string>, { dryRun = false } = {}) {
  const removed = { files: 0, bytes: 0 };
  for (const kind of kinds) {
    for (const name of await readdir(join(assets, kind)).catch(() => [])) {
      const path = join(assets, kind, name);
      if (!/^\d+-[0-9a-f]{16}\.webp$/.test(name) || shown.has(`${kind}/${name}`)) continue;
      if (!(await isOlder(path, UNSHOWN_LIFE_MS))) continue;
      removed.bytes += (await stat(path).catch(() => undefined))?.size ?? 0;
      removed.files += 1;
      if (!dryRun) await rm(path, { force: true });
    }
  }
  return removed;
}
