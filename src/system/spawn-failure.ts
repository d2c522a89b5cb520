import { statSync } from 'node:fs';
import { codeOf, Failure, messageOf } from '../base/errors.ts';

/** Says which of the many things behind one errno it was: the kernel names neither the file nor the folder. */
export function explainSpawnFailure(
  error: unknown,
  command: { readonly argv: readonly string[]; readonly cwd: string; readonly user?: string | undefined },
): Failure {
  if (error instanceof Failure) return error;
  const [program = ''] = command.argv;
  const code = codeOf(error);
  const fail = (cause: string, remedy?: string): Failure =>
    new Failure(`cannot start ${program}: ${cause}`, {
      cause: error,
      ...(code === undefined ? {} : { code }),
      ...(remedy === undefined ? {} : { remedy }),
    });
  const folder = describeFolder(command.cwd);
  if ((code === 'ENOENT' || code === 'ENOTDIR') && folder) return fail(folder, 'correct working_dir');
  switch (code) {
    case 'ENOENT':
      return program.includes('/')
        ? fail(
            'there is no such file',
            'correct the path; if the file is there, the interpreter named in its first line is not',
          )
        : fail('no program of that name is on PATH', 'install it, or write its full path');
    case 'EACCES':
      return fail(
        `permission denied${command.user === undefined ? '' : ` to user ${command.user}`}`,
        'make the file executable (chmod +x), and let the user enter its folder and the working directory',
      );
    case 'EPERM':
      return fail('not allowed to change to its user', 'Run as root, or leave out `user`.');
    case 'EAGAIN':
      return fail('the limit of processes is reached', 'raise the pids limit of the container');
    case 'ENOMEM':
      return fail('there is not enough memory');
    case 'EMFILE':
    case 'ENFILE':
      return fail('the limit of open files is reached', 'raise the nofile limit of the container');
    case 'ENOEXEC':
      return fail(
        'it is no program of this machine',
        'a script needs an interpreter line, such as #!/bin/sh',
      );
    case 'E2BIG':
      return fail('its arguments and environment are too long');
    default:
      return fail(messageOf(error));
  }
}

function describeFolder(path: string): string | undefined {
  try {
    return statSync(path).isDirectory() ? undefined : `its working directory ${path} is not a folder`;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? `its working directory ${path} does not exist` : undefined;
  }
}
