// confine PORT FOLDER PROGRAM ARGUMENTS…: gives up all rights that Chromium has no use for, then becomes Chromium.
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { landlockVersion, restrictSelf } from './browser/landlock.ts';
import { fcntl } from './browser/native.ts';

const F_SETFD = 2;

const [port = '', folder = '', program = '', ...rest] = process.argv.slice(2);
restrictSelf(
  {
    // Its own files, libraries, fonts, certificates, and what it asks of the machine. Nothing of the product: neither
    // the volume nor the app nor this program.
    readable: [
      dirname(realpathSync(program)),
      ...['/usr', '/lib', '/lib64', '/bin', '/etc', '/proc', '/sys', '/var/cache/fontconfig', '/dev/urandom'],
    ],
    writable: [folder, '/dev/shm', '/dev/null'],
    port: Number(port),
  },
  landlockVersion(),
);
// The two pipes it is spoken to by: Node keeps what it finds open from whatever it becomes.
for (const fd of [3, 4]) fcntl(fd, F_SETFD, 0);
process.execve?.(program, [program, ...rest], process.env as Record<string, string>);
