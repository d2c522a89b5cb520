/** After every test file: no child process is left behind. Loaded by vitest before each file. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll } from 'vitest';

afterAll(async () => {
  const deadline = performance.now() + 3000;
  let left = liveChildren();
  // A killed child needs a moment until Node has reaped it; that moment is no leak.
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    left = liveChildren();
  }
  if (left.length > 0) throw new Error(`this test file left processes behind: ${left.join('; ')}`);
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
