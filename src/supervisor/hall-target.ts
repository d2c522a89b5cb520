/** What the hall offers on the control socket. */
import { Failure } from '../base/errors.ts';
import { systemClock } from '../system/clock.ts';
import { heldCapabilities } from '../system/privileges.ts';
import { askedRun, commandRun } from './asked-run.ts';
import type { Companions } from './companions.ts';
import { createKeptRuns } from './control/kept-runs.ts';
import type { ControlTarget } from './control/target.ts';
import { neededBy } from './needed-by.ts';
import type { PlanInForce } from './plan-in-force.ts';
import { portsOf, refuseTakenReplicas } from './port-check.ts';
import { portFacts } from './port-facts.ts';
import type { Scheduled } from './scheduled.ts';
import type { Services } from './services/manager.ts';
import type { SinkRuns } from './sink-runs.ts';
import { createTokenShelf } from './token-files.ts';
import type { Working } from './working.ts';

export interface TargetParts
  extends Pick<ControlTarget, 'dataDir' | 'product' | 'self' | 'isReady' | 'figures' | 'logs' | 'events'> {
  readonly inForce: PlanInForce;
  readonly services: Services;
  readonly scheduled: Scheduled;
  readonly companions: Companions;
  readonly sinkRuns: SinkRuns;
  readonly working: Working;
  readonly ask: ControlTarget['jobs'];
}

/** What only looks gives way to what runs here. */
const LOOK_NICE = 10;
/** It leaves nothing half done. */
const LOOK_END_MS = 3000;

export function createHallTarget({
  inForce,
  services,
  scheduled,
  companions,
  sinkRuns,
  working,
  ask,
  ...own
}: TargetParts): ControlTarget {
  return {
    ...own,
    start: (names) => services.start(names),
    stop: (names) => services.stop(names),
    restart: (names) => services.restart(names),
    restartTree: (names) => services.restartTree(names),
    reload: async (options) => {
      if (!options.dryRun) {
        const ours = portsOf(inForce.plan.runs);
        await refuseTakenReplicas('reload', inForce.startedByReload(), own.product(), portFacts, ours);
      }
      return inForce.reload(options);
    },
    scale: async (sizes) => {
      await refuseTakenReplicas('scale', inForce.startedBy(sizes), own.product(), portFacts);
      return inForce.scale(sizes);
    },
    tokens: createTokenShelf(() => inForce.plan, systemClock.now),
    neededBy: (name) => neededBy(name, inForce.plan.runs, services.statuses()),
    planView: () => inForce.show(),
    exec: (name, argv) => companions.exec(inForce.run(name), argv),
    run: async (program, input, onReport, signal, isLook = false) => {
      const run =
        program === 'command'
          ? commandRun(inForce.run('api'), process.cwd())
          : askedRun(inForce.run('setup'), program, heldCapabilities);
      const { hear, end } = working.follow(onReport);
      try {
        if (!isLook) return await companions.program(run, program, input, hear, signal);
        return await companions.program(
          { ...run, nice: LOOK_NICE },
          program,
          input,
          hear,
          signal,
          LOOK_END_MS,
        );
      } finally {
        end();
      }
    },
    tellSink: (name, message) => {
      const run = inForce.plan.alerts?.sinks.find((sink) => sink.name === name)?.run;
      if (run === undefined)
        throw new Failure(`cannot tell ${name}: the plan has no sink of this name that is a command`);
      return sinkRuns.tell(run, message);
    },
    kept: createKeptRuns(systemClock.now),
    runSchedule: (name) => scheduled.runNow(name),
    jobTypes: () => inForce.plan.attempts.map(({ name }) => name),
    jobs: ask,
  };
}
