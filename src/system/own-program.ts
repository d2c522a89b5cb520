/**
 * V8 compiles in our own thread: one of its own may wait for room on the heap just when we end, and Node waits for it
 * (nodejs/node#54918), so that a program that has done its work never ends.
 */
const COMPILES_ITSELF = ['--no-concurrent-sparkplug', '--no-concurrent-recompilation'];

/**
 * The command that starts one of our own programs as a child: this Node, this bundle. SIGUSR1 would open a debugger.
 * What streams through a program dies young: with V8's usual young generation a dump of 370 MB took it to 134 MB, with
 * the smallest to 91, in no more time.
 * The API does little, and little of it twice: without V8's compilers it has 20 MB of its own instead of 24, and under
 * load 25 to 42 instead of 68 to 104, at the same pace. What measures, once a minute, likewise.
 * @param main The entry of the bundle (`dist/main.js`), as the running process was given it.
 */
export function ownProgram(name: string, main: string = process.argv[1] ?? ''): readonly string[] {
  const own = name === 'api' || name === 'measure' ? ['--lite-mode'] : [];
  const flags = ['--max-semi-space-size=1', ...COMPILES_ITSELF, ...own, '--disable-sigusr1'];
  return [process.execPath, ...flags, main, 'program', name];
}
