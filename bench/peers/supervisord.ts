import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianVersion } from './debian-version.ts';
import type { Peer } from './peer.ts';

export const supervisord: Peer = {
  name: 'supervisord',
  version: () => debianVersion('supervisor'),
  settings:
    'One [program] per service, output into files without rotation, `minfds=8192`. Fastest: `startsecs=0`. It looks at its children about once a second.',
  prepare(folder, { services, fast }) {
    const logs = join(folder, 'logs');
    mkdirSync(logs);
    const config = join(folder, 'supervisord.conf');
    const socket = join(folder, 'socket');
    writeFileSync(
      config,
      [
        `[supervisord]\nnodaemon=true\nuser=root\nminfds=8192\nlogfile=/dev/null\nlogfile_maxbytes=0`,
        `pidfile=${join(folder, 'pid')}\nchildlogdir=${logs}`,
        `[unix_http_server]\nfile=${socket}`,
        `[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface`,
        `[supervisorctl]\nserverurl=unix://${socket}`,
        ...services.map(({ name, argv }) =>
          [
            `[program:${name}]\ncommand=${argv.join(' ')}\nautorestart=true`,
            `stdout_logfile=${join(logs, name)}.log\nstdout_logfile_maxbytes=0\nstderr_logfile=${join(logs, name)}.err\nstderr_logfile_maxbytes=0`,
            ...(fast ? ['startsecs=0'] : []),
          ].join('\n'),
        ),
        '',
      ].join('\n'),
    );
    return {
      argv: ['supervisord', '-n', '-c', config],
      env: {},
      stop: (child) => void child.kill('SIGTERM'),
      status: ['supervisorctl', '-c', config, 'status'],
      logFolder: (service) => join(logs, `${service}.log`),
    };
  },
};
