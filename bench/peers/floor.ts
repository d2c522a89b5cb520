import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';

const program = join(import.meta.dirname, '..', 'floor.mjs');

export const floor = floorPeer('floor', true, 'One page of Node: bench/floor.mjs, with output captured.');
export const bareFloor = floorPeer('bare-floor', false, 'The same page without any output: /dev/null.');

function floorPeer(name: string, capture: boolean, settings: string): Peer {
  return {
    name,
    version: () => `Node ${process.versions.node}`,
    settings,
    prepare(folder, wish) {
      const logs = join(folder, 'logs');
      mkdirSync(logs);
      const spec = join(folder, 'spec.json');
      writeFileSync(spec, JSON.stringify({ capture, logs, services: wish.services }));
      return {
        argv: [process.execPath, program, spec],
        env: {},
        stop: (child) => void child.kill('SIGTERM'),
        status: undefined,
        logFolder: (service) => join(logs, `${service}.log`),
      };
    },
  };
}
