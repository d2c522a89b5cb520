/** Before all tests: the shipped app is built, as `npm start` would build it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const app = join(import.meta.dirname, '..', '..', 'docker', 'app');

export default function buildApp(): void {
  if (existsSync(join(app, '.next', 'standalone', 'server.js'))) return;
  if (!existsSync(join(app, 'node_modules', 'next'))) runNpm('ci', '--no-audit', '--no-fund');
  runNpm('run', 'build');
}

function runNpm(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: app, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`npm ${args.join(' ')} in docker/app ended with ${status}:\n${stdout}\n${stderr}`);
}
