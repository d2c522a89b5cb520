/** Before anything starts: what jobs will be run with is there. A service is missed at its start, a job only days later. */
import { Failure, messageOf } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import type { AttemptPlan } from '../config/plan-jobs.ts';
import { UpExit } from '../protocol/exit-codes.ts';

export interface PartFacts {
  exists(path: string): boolean;
  /** Throws a Failure where there is no such user. */
  findUser(name: string): unknown;
  /** Undefined: there is no such program. */
  findProgram(name: string, path: string | undefined, cwd: string): string | undefined;
  /** We are root, so jobs have users of their own. */
  readonly isolated: boolean;
}

/** The plans of the image: each has an image of its name, which has its parts. */
const SHIPPED: readonly string[] = ['scraper', 'full'];

/** @throws Failure (exit 13) that names what is missing, and the image that has it */
export function refuseMissingParts(plan: Plan, facts: PartFacts): void {
  // Who only takes jobs in needs nothing to do them with.
  if (!plan.jobs?.concurrency || !plan.runs.some(({ name }) => name === 'worker')) return;
  for (const attempt of plan.attempts) {
    const missing = findMissing(attempt, facts);
    if (missing === undefined) continue;
    throw new Failure(`cannot start: job ${attempt.name} ${missing}`, {
      remedy: SHIPPED.includes(plan.tier)
        ? `use an image with the parts of tier ${plan.tier} (docker build --target ${plan.tier}), or go on without them: BULKHEAD_TIER=core`
        : `put it into the image, or correct jobs.${attempt.name}`,
      code: 'missing-part',
      exitCode: UpExit.cannotStart,
    });
  }
}

function findMissing(
  { work, workingDir = '/', user, environment }: AttemptPlan,
  { exists, findUser, findProgram, isolated }: PartFacts,
): string | undefined {
  if (!exists(workingDir)) return `works in ${workingDir}, and there is no such folder`;
  if (isolated && user !== undefined) {
    try {
      findUser(user);
    } catch (error) {
      return `runs as ${user}: ${messageOf(error)}`;
    }
  }
  const [program] = work.kind === 'command' ? work.argv : [];
  const { PATH: path } = environment;
  // What is known only at the start is told then; our own command line may be called by other names.
  if (typeof program !== 'string' || typeof path === 'object' || program === 'bulkhead') return undefined;
  return findProgram(program, path, workingDir) === undefined
    ? `runs ${program}, and there is no such program`
    : undefined;
}
