// Makes dist/: one file of each program, so that an image needs of all packages only sharp and its library.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = import.meta.dirname;
const out = join(root, 'dist');

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: ['scrape', 'scrape-all', 'clean-assets', 'confine'].map((name) =>
    join(root, 'src', `${name}.ts`),
  ),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minify: true,
  legalComments: 'none',
  external: ['sharp', 'koffi', 'pg-native'],
  // pg is CommonJS inside, and asks for require().
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
