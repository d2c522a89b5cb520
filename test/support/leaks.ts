/** After every test file: no child process and no folder is left behind. Loaded by vitest before each file. */
import fs, { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll } from 'vitest';

/** Every temporary folder this file makes is written down. */
const folders: string[] = [];
const { mkdtempSync } = fs;
fs.mkdtempSync = ((...args: Parameters<typeof mkdtempSync>) => {
  const path = mkdtempSync(...args);
  folders.push(String(path));
  return path;
}) as typeof mkdtempSync;
syncBuiltinESMExports();

afterAll(async () => {
  const deadline = performance.now() + 3000;
  let left = liveChildren();
  // A killed child needs a moment until Node has reaped it; that moment is no leak.
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    left = liveChildren();
  }
  if (left.length > 0) throw new Error(`this test file left processes behind: ${left.join('; ')}`);
  const kept = folders.filter((path) => existsSync(path));
  // They are of no use to anybody, and a disk is full of them one day.
  for (const path of kept) rmSync(path, { recursive: true, force: true });
  if (kept.length > 0) throw new Error(`this test file left folders behind: ${kept.join('; ')}`);
});

function liveChildren(): string[] {
  return (
    readdirSync('/proc/self/task')
      .flatMap((thread) => readText(`/proc/self/task/${thread}/children`).split(' '))
      .filter((pid) => pid.trim() !== '')
      .map((pid) => ({ pid, command: readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
      // esbuild's service belongs to vitest itself.
      .filter(({ command }) => command !== '' && !command.includes('esbuild'))
      .map(({ pid, command }) => `${pid} ${command}`)
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
