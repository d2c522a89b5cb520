import { Failure } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';

/** A path that was tried and what came of it. */
export interface Attempt {
  readonly path: string;
  readonly code: string;
  readonly cause: string;
}

const CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ECONNREFUSED: 'nobody answers there',
  EACCES: 'permission denied',
  ENOTSOCK: 'not a socket',
  ENOTDIR: 'no such file',
  ECONNRESET: 'it hung up',
};

/** The most telling first: a closed door says more than a missing one. */
const TELLING = ['EACCES', 'foreign-owner', 'ECONNRESET', 'ECONNREFUSED', 'other-volume'];

/** Nobody is behind such a path, or somebody who serves another volume. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'other-volume']);

function notRunning(volume: string): Failure {
  return new Failure(`cannot reach the supervisor: nothing runs on ${volume}`, {
    code: 'unreachable',
    exitCode: CommandExit.unreachable,
    remedy: `start it: bulkhead up --data ${volume}. If it runs on another volume, name that one with --data DIR or BULKHEAD_DATA`,
  });
}

/**
 * The one message for a supervisor that cannot be reached: where it was looked for, why not, what to do.
 * @param volume the one that is meant, where one was named
 */
export function unreachable(attempts: readonly Attempt[], volume?: string): Failure {
  if (volume !== undefined && attempts.every(({ code }) => ABSENT.has(code))) return notRunning(volume);
  const told =
    TELLING.map((code) => attempts.find((attempt) => attempt.code === code)).find(Boolean) ?? attempts[0];
  const others = attempts.filter((attempt) => attempt !== told).map(({ path }) => path);
  const where = told === undefined ? '' : ` at ${told.path}: ${CAUSES[told.code] ?? told.cause}`;
  const also = others.length === 0 ? '' : ` (nor at ${others.join(', ')})`;
  return new Failure(`cannot reach the supervisor${where}${also}`, {
    code: told?.code === 'EACCES' ? 'no-permission' : 'unreachable',
    exitCode: CommandExit.unreachable,
    remedy: remedyOf(told?.code),
  });
}

function remedyOf(code: string | undefined): string {
  switch (code) {
    case 'EACCES':
      return 'run this as the user the supervisor runs as, or as root';
    case 'other-volume':
      return 'name the volume of the supervisor you mean with --data DIR or BULKHEAD_DATA';
    case 'foreign-owner':
      return 'somebody else made this socket: see who with ls -l, and remove it if it is not yours';
    default:
      return 'start it with: bulkhead up. If it runs, name its volume with --data DIR; to look closer: bulkhead doctor';
  }
}
