import type { Clock } from '../../base/clock.ts';
import type { ChangeAnswer, ServiceChange } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { type Change, changeServices, exitCodeOf, findAgain, refuseDisabled } from './changes.ts';
import { listMeant } from './known-services.ts';
import type { ControlTarget } from './target.ts';

/** Without a check "ready" may mean no more than "started": it has to live so long before the next one's turn. ms */
const SETTLING = 1000;

/**
 * Restarts one after the other, each only when the one before it is ready again; one that is not ends the roll, and
 * whoever has not had its turn is left as it is. The time is that of each single one.
 */
export async function restartRolling(
  target: ControlTarget,
  clock: Clock,
  change: Change,
  signal: AbortSignal,
): Promise<ChangeAnswer> {
  const all = listMeant(target.product(), change.names);
  refuseDisabled(all);
  const changes: ServiceChange[] = [];
  for (const { name } of all) {
    if (signal.aborted) break;
    const one = { ...change, action: 'restart', names: [name], wait: true } as const;
    const answer = await changeServices(target, clock, one, signal);
    const settled = await Promise.all(answer.changes.map((each) => settle(each, target, clock, signal)));
    changes.push(...settled);
    if (exitCodeOf(settled) !== CommandExit.ok) break;
  }
  for (const old of all.slice(changes.length)) {
    const { name } = old;
    const now = findAgain(target.product(), old);
    changes.push({ name, outcome: 'untouched', before: now, after: now, took: 0 });
  }
  return { schemaVersion: SCHEMA_VERSION, action: 'restart', changes, exitCode: exitCodeOf(changes) };
}

/** A look a moment later at one whose readiness nobody checks: it may have crashed at once. */
async function settle(
  change: ServiceChange,
  target: ControlTarget,
  clock: Clock,
  signal: AbortSignal,
): Promise<ServiceChange> {
  const { after: ready, outcome } = change;
  if (outcome !== 'changed' || ready.kind === 'task' || ready.check !== undefined) return change;
  await new Promise<void>((resolve) => {
    const disarm = clock.after(SETTLING, resolve);
    const leave = (): void => {
      disarm();
      resolve();
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  const after = findAgain(target.product(), ready);
  const isSame = after.status === 'ready' && after.generation === ready.generation;
  return isSame ? change : { ...change, outcome: 'failed', after };
}
