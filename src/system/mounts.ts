import { readFileSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

/** File systems that end with the machine or the container. */
const IN_MEMORY: ReadonlySet<string> = new Set(['tmpfs', 'ramfs']);

/** Whether what is written here, or will be, lies on something mounted for it, and not in the image or in memory. */
export function isOnVolume(path: string): boolean {
  try {
    return isVolume(resolveExisting(path), readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return false;
  }
}

/**
 * @param real a path without links
 * @param table the text of mountinfo, proc_pid_mountinfo(5)
 */
export function isVolume(real: string, table: string): boolean {
  let point = '';
  let type = '';
  for (const line of table.split('\n')) {
    const [front = '', back = ''] = line.split(' - ', 2);
    const here = unescapePath(front.split(' ', 5)[4] ?? '');
    const isAbove = here !== '' && (here === '/' || real === here || real.startsWith(`${here}/`));
    // Of several at one place the last hides the others.
    if (!isAbove || here.length < point.length) continue;
    point = here;
    type = back.split(' ', 1)[0] ?? '';
  }
  return point !== '' && point !== '/' && !IN_MEMORY.has(type);
}

/** Every place something is mounted at; empty where the kernel does not tell. */
export function mountPoints(): string[] {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [unescapePath(line.split(' ', 5)[4] ?? '')]));
  } catch {
    return [];
  }
}

/** The nearest folder above that is there. */
function resolveExisting(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (path === dirname(path)) throw error;
    return resolveExisting(dirname(path));
  }
}

/** Blank, tab, newline and backslash stand there as three octal digits. */
function unescapePath(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_whole, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
