/**
 * The command that starts one of our own programs as a child: this Node, this bundle.
 * @param main The entry of the bundle (`dist/main.js`), as the running process was given it.
 */
export function ownProgram(name: string, main: string = process.argv[1] ?? ''): readonly string[] {
  // Node 22 knows the flag only as --no-… variants of nothing: it came with 24.
  const flags = process.allowedNodeEnvironmentFlags.has('--disable-sigusr1') ? ['--disable-sigusr1'] : [];
  return [process.execPath, ...flags, main, 'program', name];
}
