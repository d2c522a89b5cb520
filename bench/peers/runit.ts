import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianVersion } from './debian-version.ts';
import type { Peer } from './peer.ts';

export const runit: Peer = {
  name: 'runit',
  version: () => debianVersion('runit'),
  settings:
    'Run scripts are `#!/bin/sh` with exec; no logger but in the log rows (svlogd with time stamps, no rotation). One runsv per service. runsvdir ends before its runsv do: its stop is told by the last child.',
  prepare(folder, { services, logged }) {
    const scan = join(folder, 'scan');
    for (const { name, argv } of services) {
      mkdirSync(join(scan, name), { recursive: true });
      writeFileSync(join(scan, name, 'run'), `#!/bin/sh\nexec ${argv.join(' ')}\n`, { mode: 0o755 });
      if (!logged) continue;
      const logs = join(folder, 'logs', name);
      mkdirSync(join(scan, name, 'log'));
      mkdirSync(logs, { recursive: true });
      writeFileSync(join(scan, name, 'log', 'run'), `#!/bin/sh\nexec svlogd -tt ${logs}\n`, { mode: 0o755 });
      writeFileSync(join(logs, 'config'), 's0\n');
    }
    // A folder changed in this very second is left alone for another one.
    utimesSync(scan, 1, 1);
    return {
      argv: ['runsvdir', scan],
      env: {},
      stop: (child) => void child.kill('SIGHUP'),
      status: ['sv', 'status', join(scan, services[0]?.name ?? '')],
      logFolder: (service) => join(folder, 'logs', service),
    };
  },
};
