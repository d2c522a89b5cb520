import { formatDuration } from '../base/duration.ts';
import type { ChangeAction, ServiceChange } from '../protocol/control.ts';
import { ageOf, describeExit } from './status-text.ts';
import { tameLine } from './terminal.ts';

const DONE: Readonly<Record<ChangeAction, string>> = {
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
};
const ASKED: Readonly<Record<ChangeAction, string>> = {
  start: 'asked to start',
  stop: 'asked to stop',
  restart: 'asked to restart',
};

/** One line: what changed, the facts of it, and what to do next. `now` in milliseconds since the epoch. */
export function describeChange(action: ChangeAction, change: ServiceChange, now: number): string {
  const { name, outcome, before, after, took } = change;
  switch (outcome) {
    case 'unchanged':
      return `${name} was ${after.status} already, for ${ageOf(after.since, now)}: nothing to do.`;
    case 'asked':
      return `${ASKED[action]}: ${name}. See how it goes: bulkhead status ${name}`;
    case 'pending':
      return `${name} is still ${after.status} after ${formatDuration(took)}${because(after.reason)}. It goes on: bulkhead wait ${name}`;
    case 'failed':
      return `${name} did not become ready: ${after.status}${because(after.reason)}${lastLine(after.lastLine)}. See why: bulkhead logs ${name} --tail 50`;
    case 'untouched':
      return `${name} was left as it was: the rolling restart ended before its turn.`;
    case 'changed':
      return `${describeDone(action, change, now)} ${leftRunning(change)}${nextStep(action, name, before.kind)}`;
  }
}

/** What was done, without what to do next. */
export function describeDone(action: ChangeAction, change: ServiceChange, now: number): string {
  return `${DONE[action]} ${change.name} (${facts(action, change, now)}).`;
}

function facts(action: ChangeAction, { before, after, took }: ServiceChange, now: number): string {
  // What was running is told by the status before; what ended it by the exit that came since.
  const wasUp = before.pid === undefined ? [] : [`was up ${ageOf(before.since, now - took)}`];
  const ended = before.pid !== undefined && after.lastExit && after.lastExit.at !== before.lastExit?.at;
  const exit = ended && after.lastExit ? [describeAskedExit(after.lastExit)] : [];
  const became =
    action === 'stop' ? [] : [`${after.status}${after.pid === undefined ? '' : `, pid ${after.pid}`}`];
  return [...(action === 'start' ? [] : [...wasUp, ...exit]), ...became, formatDuration(took)].join(', ');
}

function describeAskedExit(exit: { readonly code: number | null; readonly signal: string | null }): string {
  if (exit.signal === 'SIGKILL') return 'had to be killed';
  return exit.signal === null ? describeExit(exit) : `ended by ${exit.signal}`;
}

function nextStep(action: ChangeAction, name: string, kind: 'service' | 'task'): string {
  if (action === 'stop') return `Start again: bulkhead start ${name}`;
  return kind === 'task' ? `Its output: bulkhead logs ${name}` : `Watch it: bulkhead logs -f ${name}`;
}

/** Nobody is stopped for another's sake; whoever did not know should. */
function leftRunning({ name, neededBy = [] }: ServiceChange): string {
  if (neededBy.length === 0) return '';
  const [need, was] = neededBy.length === 1 ? ['needs', 'was'] : ['need', 'were'];
  return `${neededBy.join(', ')} ${need} ${name} and ${was} left running. `;
}

function because(reason: string): string {
  return reason === '' ? '' : ` (${tameLine(reason)})`;
}

function lastLine(line: string | undefined): string {
  return line === undefined ? '' : `; last line: ${tameLine(line)}`;
}
