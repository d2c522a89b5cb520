import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a program name leads, as execvp(3) finds it; undefined where no executable file has that name. */
export function findProgram(name: string, path: string = DEFAULT_PATH, cwd = '/'): string | undefined {
  if (name.includes('/')) return isExecutable(join(name.startsWith('/') ? '' : cwd, name)) ? name : undefined;
  return path
    .split(':')
    .map((folder) => join(folder === '' ? cwd : folder, name))
    .find(isExecutable);
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
