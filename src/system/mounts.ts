import { readFileSync, realpathSync } from 'node:fs';

/** Whether something is mounted exactly here: a volume, and not a folder of the image. proc_pid_mountinfo(5). */
export function isMount(path: string): boolean {
  let real: string;
  let table: string;
  try {
    real = realpathSync(path);
    table = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return false;
  }
  return table.split('\n').some((line) => unescapePath(line.split(' ', 5)[4] ?? '') === real);
}

/** Blank, tab, newline and backslash stand there as three octal digits. */
function unescapePath(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_whole, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
