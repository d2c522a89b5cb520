/** Who has a TCP port: for the message that says why a service cannot have it. Best effort throughout. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { readProcess } from './process-table.ts';

/** Tries to listen. False: it is taken, or we may not have it. */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The listener of a port; undefined where nobody listens, or where its process is not open to us. */
export function whoListens(port: number): { readonly pid: number; readonly name: string } | undefined {
  const inodes = new Set([
    ...listeningInodes('/proc/net/tcp', port),
    ...listeningInodes('/proc/net/tcp6', port),
  ]);
  if (inodes.size === 0) return undefined;
  const pid = list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .find((name) => holdsSocket(name, inodes));
  const entry = pid === undefined ? undefined : readProcess(Number(pid));
  return entry && { pid: entry.pid, name: programOf(entry.pid) ?? entry.name };
}

/** A process may name its threads: of Node's the kernel knows only "MainThread". */
function programOf(pid: number): string | undefined {
  try {
    const [program = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0', 1);
    // PostgreSQL and others write a whole title there.
    return basename(program.split(' ', 1)[0] ?? '').replace(/:$/, '') || undefined;
  } catch {
    return undefined;
  }
}

/** proc_pid_net(5): local address as hexadecimal `IP:PORT`, state 0A is LISTEN, the tenth column is the inode. */
function listeningInodes(path: string, port: number): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return [];
  }
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === '0A')
    .map((fields) => fields[9] ?? '');
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  return list(`/proc/${pid}/fd`).some((fd) => {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    } catch {
      return false;
    }
  });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
