/**
 * Bundles src/ into dist/: one small entry that opens one lazily loaded room per command, and beside it the
 * compile cache of V8, warmed, so that PID 1 parses nothing it has parsed before.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

// Built beside and moved in whole: a failed build leaves the last good one.
const staged = `${dist}.staged`;
rmSync(staged, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outdir: staged,
  bundle: true,
  splitting: true,
  chunkNames: 'rooms/[name]-[hash]',
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
});
rmSync(dist, { recursive: true, force: true });
renameSync(staged, dist);

warm(['version']);
warm(['config', 'check', '--config', join(root, 'config'), '--quiet']);

/** Runs a command once, so that what it compiles is in the cache; a failure shows at its own test, not here. */
function warm(args) {
  try {
    execFileSync(process.execPath, [join(dist, 'main.js'), ...args], { stdio: 'ignore', timeout: 20_000 });
  } catch {}
}
