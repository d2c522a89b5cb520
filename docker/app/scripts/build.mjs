// Builds the one folder that runs the app: .next/standalone with the server, its static files,
// the migrator as one file, and the migrations.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const out = join(root, '.next', 'standalone');

rmSync(out, { recursive: true, force: true });
const next = spawnSync(process.execPath, [join(root, 'node_modules/next/dist/bin/next'), 'build'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
});
if (next.status !== 0) process.exit(next.status ?? 1);
if (!existsSync(join(out, 'server.js'))) {
  console.error('cannot build: next build left no .next/standalone/server.js');
  process.exit(1);
}

cpSync(join(root, '.next/static'), join(out, '.next/static'), { recursive: true });
cpSync(join(root, 'public'), join(out, 'public'), { recursive: true });
cpSync(join(root, 'migrations'), join(out, 'migrations'), { recursive: true });
for (const font of ['bricolage-grotesque', 'instrument-sans']) {
  cpSync(join(root, 'node_modules/@fontsource-variable', font, 'LICENSE'), join(out, 'licenses', `${font}.txt`));
}

// node-pg-migrate loads jiti and glob at import for migrations written in TypeScript and for file
// patterns. Ours are plain SQL in one folder: leaving the two out saves 100 ms of every boot.
const absent = {
  jiti: 'export const createJiti = () => ({ import() { throw new Error("only .sql migrations are supported"); } });',
  glob: 'export const glob = () => { throw new Error("file patterns are not supported"); };',
};
await build({
  entryPoints: [join(root, 'migrate.mjs')],
  outfile: join(out, 'migrate.mjs'),
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minify: true,
  legalComments: 'none',
  external: ['pg-native'],
  // pg is CommonJS inside, and asks for require().
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  plugins: [
    {
      name: 'leave-out',
      setup(bundler) {
        bundler.onResolve({ filter: /^(jiti|glob)$/ }, ({ path }) => ({ path, namespace: 'leave-out' }));
        bundler.onLoad({ filter: /.*/, namespace: 'leave-out' }, ({ path }) => ({ contents: absent[path] }));
      },
    },
  ],
});
