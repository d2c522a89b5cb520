/** What a person is told whose command cannot be carried out. */
import { Failure } from '../../base/errors.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';

/** `what`: "restart app" */
export function noSuchService(what: string): Failure {
  return new Failure(`cannot ${what}: there is no such service`, {
    code: 'unknown-name',
    exitCode: CommandExit.unknownName,
  });
}

export function isStopping(what: string): Failure {
  return new Failure(`cannot ${what}: everything is being stopped`, {
    code: 'stopping',
    exitCode: CommandExit.refused,
  });
}

export function isRestarting(what: string): Failure {
  return new Failure(`cannot ${what}: another restart with dependents is under way`, {
    code: 'busy',
    remedy: 'wait until it is over: bulkhead wait --for ready',
    exitCode: CommandExit.refused,
  });
}
