import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender, Peer, Wish } from './peer.ts';

const root = join(import.meta.dirname, '..', '..');
// Another build than the one in the checkout, to compare two of them in one run.
const main = process.env.BENCH_BULKHEAD ?? join(root, 'dist', 'main.js');

/** As docker/bulkhead starts it. */
const LAUNCHER_FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--disable-sigusr1',
  '--no-concurrent-sparkplug',
  '--no-concurrent-recompilation',
];

let ports = 20_000 + (process.pid % 10_000);

export const bulkhead: Peer = {
  name: 'bulkhead',
  version: () =>
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
  settings:
    'Started with the flags of the image. Captures every stream, always; each stored line has a time stamp, and each is also rendered for standard output, which here is /dev/null. Fastest: `backoff: { initial: 1ms, stable_after: 1ms, limit: 0 }`. Files are continued at 100 MB, as by default.',
  prepare(folder: string, wish: Wish): Contender {
    const plan = join(folder, 'plan.yaml');
    const data = join(folder, 'data');
    const backoff = wish.fast ? ', backoff: { initial: 1ms, stable_after: 1ms, limit: 0 }' : '';
    const confined = wish.confined ? ', user: nobody, ulimits: { nofile: 1024 }' : '';
    const stanzas = wish.services.map(
      ({ name, argv }) => `  ${name}: { command: ${JSON.stringify(argv)}${backoff}${confined} }`,
    );
    writeFileSync(plan, ['version: 1', 'name: bench', 'services:', ...stanzas, ''].join('\n'));
    ports += 2;
    const node = [process.execPath, ...LAUNCHER_FLAGS, main];
    return {
      argv: [...node, 'up', '--config', plan, '--data', data],
      env: { MALLOC_ARENA_MAX: '1', BULKHEAD_PORT: String(ports), BULKHEAD_API_PORT: String(ports + 1) },
      stop: (child) => void child.kill('SIGTERM'),
      status: [...node, 'status', '--data', data],
      logFolder: () => join(data, 'logs'),
    };
  },
};
