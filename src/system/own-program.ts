/**
 * The command that starts one of our own programs as a child: this Node, this bundle. SIGUSR1 would open a debugger.
 * @param main The entry of the bundle (`dist/main.js`), as the running process was given it.
 */
export function ownProgram(name: string, main: string = process.argv[1] ?? ''): readonly string[] {
  return [process.execPath, '--disable-sigusr1', main, 'program', name];
}
