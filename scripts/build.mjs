/**
 * Bundles src/ into dist/: one small entry that opens one lazily loaded room per command, and beside it the
 * compile cache of V8, warmed, so that PID 1 parses nothing it has parsed before.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** PID 1 is one file; what it opens by import() are the rooms of the others, but for the command it is there for. */
const PID_ONE = join(root, 'src', 'pid-one.ts');
const UP = join(root, 'src', 'cli', 'commands', 'up.ts');

// Built beside and moved in whole: a failed build leaves the last good one.
const staged = `${dist}.staged`;
rmSync(staged, { recursive: true, force: true });
const common = {
  absWorkingDir: root,
  outdir: staged,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  // Names stay readable in stack traces; white space and comments only cost parsing.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  define: { __BULKHEAD_VERSION__: JSON.stringify(version) },
  // Packages written for CommonJS ask for `require`; an ES module has none of its own.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  // Its other build is CommonJS, which costs PID 1 several milliseconds more to load.
  alias: { yaml: join(root, 'node_modules', 'yaml', 'browser', 'dist', 'index.js') },
  // Native code finds its binary beside itself.
  external: ['koffi', 'pg-native'],
};
const { metafile } = await build({
  ...common,
  entryPoints: ['src/main.ts'],
  splitting: true,
  chunkNames: 'rooms/[name]-[hash]',
  metafile: true,
  plugins: [leavingDoors((source) => (source === PID_ONE ? './pid-one.js' : undefined))],
});
const rooms = roomsOf(metafile);
await build({
  ...common,
  entryPoints: [PID_ONE],
  plugins: [leavingDoors((source) => (source === UP ? undefined : rooms.get(source)))],
});
rmSync(dist, { recursive: true, force: true });
renameSync(staged, dist);

warm(['version']);
warm(['up', '--help']);
warm(['config', 'check', '--config', join(root, 'config'), '--quiet']);

/** A plugin that leaves `import()` of a source file to another built file, where `target` names one. */
function leavingDoors(target) {
  return {
    name: 'leaving-doors',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        const built = kind === 'dynamic-import' ? target(join(resolveDir, path)) : undefined;
        return built === undefined ? undefined : { path: built, external: true };
      });
    },
  };
}

/** From a source file that somebody opens by `import()` to what it was built into, as a file beside it names it. */
function roomsOf({ outputs }) {
  return new Map(
    Object.entries(outputs)
      .filter(([, { entryPoint }]) => entryPoint !== undefined)
      .map(([file, { entryPoint }]) => [join(root, entryPoint), `./${relative(staged, join(root, file))}`]),
  );
}

/** Runs a command once, so that what it compiles is in the cache; a failure shows at its own test, not here. */
function warm(args) {
  try {
    execFileSync(process.execPath, [join(dist, 'main.js'), ...args], { stdio: 'ignore', timeout: 20_000 });
  } catch {}
}
