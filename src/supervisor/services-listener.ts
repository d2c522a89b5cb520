/** What the hall says and does when the services tell of themselves. */
import type { Plan } from '../config/plan.ts';
import type { EventBody } from '../protocol/events.ts';
import type { Checks } from './health/checks.ts';
import type { Logs } from './logs/logs.ts';
import type { NoteBoard } from './notes.ts';
import type { ServicesListener } from './services/listener.ts';
import type { Tallies } from './tallies.ts';

export interface ListenerSurroundings extends Pick<ServicesListener, 'booted' | 'ended'> {
  /** In force now. */
  readonly plan: () => Plan;
  readonly logs: Logs;
  readonly notes: NoteBoard;
  readonly checks: Checks;
  readonly tallies: Tallies;
  readonly announce: (event: EventBody) => void;
  /** A run said how far it has come. */
  readonly progressed: () => void;
  /** The worst alert that fires is another one; undefined: none does. */
  readonly alerted: (reason: string | undefined) => void;
}

export function tellOfServices({
  plan,
  logs,
  notes,
  checks,
  tallies,
  announce,
  progressed,
  alerted,
  ...others
}: ListenerSurroundings): ServicesListener {
  const runOf = (service: string) => plan().runs.find(({ name }) => name === service);
  return {
    ...others,
    changed: (service, from, to, reason) => {
      logs.own('debug', `${service}: ${from} → ${to}${reason === '' ? '' : ` (${reason})`}`);
      announce({ type: 'changed', service, from, to, reason });
    },
    spawned: (service, generation, pid) => {
      notes.forget(service);
      tallies.listener.spawned(service, generation, pid);
      announce({ type: 'spawned', service, generation, pid });
    },
    exited: (service, generation, exit, asked, cause) => {
      const { code, signal } = exit;
      tallies.listener.exited(service, generation, exit, asked, cause);
      const end = signal === null ? `exit ${code}` : signal;
      if (!asked && code !== 0) logs.own('warn', `${service} ended: ${end}`);
      announce({ type: 'exited', service, generation, code, signal, asked });
    },
    startFailed: (service, _generation, reason) => logs.own('warn', `${service}: ${reason}`),
    checksWanted: (service, generation) => {
      const run = runOf(service);
      if (run?.kind === 'service' && run.healthcheck) checks.start(service, generation, run.healthcheck);
    },
    checksUnwanted: (service, generation) => checks.stop(service, generation),
    gaveUp: (service, reason) => {
      const run = runOf(service);
      // A task that is one of our own programs has said in full what failed.
      const told = run?.kind === 'task' && run.work.kind === 'program';
      const last = told ? undefined : logs.lastLine(service);
      const lastWords = last === undefined ? '' : `; last line: ${last.slice(0, 200)}`;
      logs.own('error', `${service} gave up: ${reason}${lastWords}`);
      announce({ type: 'gaveUp', service, reason });
    },
    rollHalted: (group, reason, left) => {
      const text = `${reason}: ${left.join(', ')} of ${group} was left as it was; mend the plan and reload`;
      logs.own('error', text);
      announce({ type: 'noted', text });
    },
    reported: (service, generation, report) => {
      tallies.listener.reported(service, generation, report);
      if (report.type === 'note') {
        notes.add(service, report.text);
        announce({ type: 'noted', text: report.text });
      }
      if (report.type === 'alerts') alerted(report.reason);
      if (report.type === 'progress') progressed();
    },
    misbehaved: (text) => logs.own('error', text),
  };
}
