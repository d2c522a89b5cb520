import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';

const home = join(import.meta.dirname, 'pm2');
const folderOfPm2 = join(home, 'node_modules', 'pm2');

export const pm2: Peer = {
  name: 'pm2-runtime',
  version: () => {
    if (!existsSync(folderOfPm2)) install();
    if (!existsSync(folderOfPm2)) return undefined;
    return (JSON.parse(readFileSync(join(folderOfPm2, 'package.json'), 'utf8')) as { version: string })
      .version;
  },
  settings:
    'Fork mode, no interpreter, one out and one error file each. Fastest: `min_uptime: 100`, its least.',
  prepare(folder, { services, fast }) {
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    const ecosystem = join(folder, 'ecosystem.json');
    const apps = services.map(({ name, argv: [script, ...args] }) => ({
      name,
      script,
      args,
      interpreter: 'none',
      exec_mode: 'fork',
      out_file: join(logs, `${name}.log`),
      error_file: join(logs, `${name}.err`),
      merge_logs: true,
      ...(fast ? { min_uptime: 100, max_restarts: 1e6 } : {}),
    }));
    writeFileSync(ecosystem, JSON.stringify({ apps }));
    const program = (name: string): string[] => [process.execPath, join(folderOfPm2, 'bin', name)];
    return {
      argv: [...program('pm2-runtime'), 'start', ecosystem],
      env: { PM2_HOME: join(folder, 'pm2') },
      stop: (child) => void child.kill('SIGTERM'),
      status: [...program('pm2'), 'list'],
      logFolder: (service) => join(logs, `${service}.log`),
    };
  },
};

/** Into a folder of the bench's own; scripts of packages are not run. */
function install(): void {
  spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: home, stdio: 'inherit' });
}
