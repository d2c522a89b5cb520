import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianVersion } from './debian-version.ts';
import type { Peer } from './peer.ts';

export const s6: Peer = {
  name: 's6',
  version: () => debianVersion('s6'),
  settings:
    'Run scripts are `#!/bin/sh` with exec; no logger but in the log rows (s6-log with time stamps, files of 256 MB): its start, stop and memory leave out what Bulkhead does there. One s6-supervise per service. Fastest: the run script says it is ready on a notification-fd; what was ready is started anew without a wait of a second.',
  prepare(folder, { services, logged, fast }) {
    const scan = join(folder, 'scan');
    for (const { name, argv } of services) {
      mkdirSync(join(scan, name), { recursive: true });
      const ready = fast ? 'echo >&3\nexec 3>&-\n' : '';
      writeFileSync(join(scan, name, 'run'), `#!/bin/sh\n${ready}exec ${argv.join(' ')}\n`, { mode: 0o755 });
      if (fast) writeFileSync(join(scan, name, 'notification-fd'), '3\n');
      if (!logged) continue;
      mkdirSync(join(scan, name, 'log'));
      const log = `#!/bin/sh\nexec s6-log n20 s268435455 T ${join(folder, 'logs', name)}\n`;
      writeFileSync(join(scan, name, 'log', 'run'), log, { mode: 0o755 });
      mkdirSync(join(folder, 'logs', name), { recursive: true });
    }
    return {
      argv: ['s6-svscan', '-c', String(services.length * 2 + 100), scan],
      env: {},
      stop: () => void spawnSync('s6-svscanctl', ['-t', scan]),
      status: ['s6-svstat', join(scan, services[0]?.name ?? '')],
      logFolder: (service) => join(folder, 'logs', service),
    };
  },
};
