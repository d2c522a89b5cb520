/**
 * The hall: the rooms of PID 1 do not know each other and are joined here, one sentence each. It decides nothing a
 * room can decide; what is its own is the order of a boot, the end, and the exit code.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { PlanRequest } from '../config/read-plan.ts';
import type { EventBody } from '../protocol/events.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { systemClock } from '../system/clock.ts';
import { readFamilies } from '../system/families.ts';
import { onMistakes } from '../system/mistakes.ts';
import { heldCapabilities } from '../system/privileges.ts';
import { startReaper } from '../system/reaper.ts';
import { onSignals } from '../system/signals.ts';
import { createAttemptLauncher } from './attempt-launcher.ts';
import type { BootObserver } from './boot-observer.ts';
import { createCompanions } from './companions.ts';
import { openDoors } from './doors.ts';
import { ASKED, type Ending, endedBy, exitCodeOf, LOG_FLUSH_MS, MISTAKEN, servicesShare } from './ending.ts';
import { openHallChecks } from './hall-checks.ts';
import { openHallEvents } from './hall-events.ts';
import { openHallLogs } from './hall-logs.ts';
import { createHallStarter } from './hall-starter.ts';
import { createHallTarget } from './hall-target.ts';
import { openHealthView } from './health/health-view.ts';
import { createLaunchSource } from './launch-source.ts';
import { noteLogFiles } from './note-log-files.ts';
import { noteRestraint } from './note-restraint.ts';
import { listNotes, NoteBoard } from './notes.ts';
import { oncePerTurn } from './once-per-turn.ts';
import { createOperateDoor } from './operate-door.ts';
import { keepToken } from './own-token.ts';
import { type GoodReading, PlanInForce } from './plan-in-force.ts';
import { refuseTakenPorts } from './port-check.ts';
import { portFacts } from './port-facts.ts';
import { describeProduct } from './product.ts';
import { createScheduled } from './scheduled.ts';
import { createSelfCheck } from './self-check.ts';
import { Services } from './services/manager.ts';
import { tellOfServices } from './services-listener.ts';
import { createSinkRuns } from './sink-runs.ts';
import { createTallies } from './tallies.ts';
import { waitAtMost } from './wait-at-most.ts';
import { linkWorker } from './worker-link.ts';
import { Working } from './working.ts';

export interface Boot {
  /** How the plan was read: a reload reads it the same way. */
  readonly request: PlanRequest;
  readonly reading: GoodReading;
  readonly view: BootObserver;
  /** Somebody wanted a stop before anybody here could hear it. */
  wasAsked(): boolean;
}

/** Runs the plan until it is asked to stop or must; resolves with the exit code. */
export async function supervise(boot: Boot): Promise<number> {
  const { view, request } = boot;
  const clock = systemClock;
  const working = new Working();
  const since = clock.now();
  const finished = Promise.withResolvers<Ending>();
  let isOver = false;
  const end = (ending: Ending): void => {
    isOver = true;
    finished.resolve(ending);
  };
  let phase: ProductStatus['phase'] = 'booting';
  const inForce = new PlanInForce(boot.reading, request, {
    changesTo: (runs) => services.changesTo(runs),
    takeOver: ({ reading, changes, restarts }) => {
      learn(inForce.secrets);
      void care.look();
      void operate.ensure(reading.plan);
      services.applyPlan(reading.plan.runs);
      scheduled.take(reading.plan.schedules);
      services.restart(restarts.filter((name) => services.status(name)?.status !== 'stopped'));
      const summary = changes.map(({ service, action }) => `${action} ${service}`).join(', ');
      logs.own('info', `reloaded: ${summary}`);
      announce({ type: 'reloaded', summary });
    },
    isStopping: () => phase === 'stopping',
  });
  const { plan } = inForce;

  const reaper = startReaper();
  const { logs, learn, openCare } = openHallLogs(() => inForce.plan, view, {
    restrained: (event) => noteRestraint(event, notes, announce),
    fileTold: (event) => noteFile(event),
  });
  learn(inForce.secrets);
  onMistakes((error) => {
    logs.own('fatal', `internal error: ${stackOf(error)}`);
    end(MISTAKEN);
  });
  const bootNotes = listNotes(plan, request.root);
  const notes = new NoteBoard(bootNotes);
  let alert: string | undefined;
  const { log: events, close: closeEvents } = openHallEvents(plan.dataDir, clock, (error) =>
    logs.own('error', `a reader of the events failed: ${messageOf(error)}`),
  );
  const health = openHealthView({ product: () => product(), fault: () => self.fault() });
  const lookAtAll = oncePerTurn(() => {
    health.observe();
    if (phase === 'booting') view.show(product());
  });
  const announce = (body: EventBody): void => {
    events.append(body);
    lookAtAll();
  };
  const noteFile = noteLogFiles(notes, announce);

  const self = createSelfCheck({
    clock,
    reaper,
    logs,
    overdue: (ms) => services.overdue(ms),
    internalErrors: () => services.impossible,
  });
  const token = keepToken(() => inForce.plan, logs);
  const source = createLaunchSource(() => inForce.plan, request, token, learn);
  const companions = createCompanions(source, logs);
  const sinkRuns = createSinkRuns(source, logs, clock);
  const care = openCare(companions, heldCapabilities);
  const tallies = createTallies(clock, readFamilies);
  const checks = openHallChecks({ clock, source, companions, inForce, tallies, services: () => services });
  const starter = createHallStarter({ clock, source, logs, services: () => services, announce });
  const worker = linkWorker({
    launcher: starter,
    launchAttempt: createAttemptLauncher(source, logs, clock, () => inForce.plan),
    clock,
    plan: () => inForce.plan,
    statusOf: (name) => services.status(name),
    say: (level, text) => logs.own(level, text),
    summed: lookAtAll,
    happened: (event) => events.mention(event),
  });
  const { launcher } = worker;
  const services = new Services({
    runs: plan.runs,
    stopTimeout: servicesShare(plan.stopTimeout),
    clock,
    random: Math.random,
    launcher,
    lastLine: (name) => logs.lastLine(name),
    checkOf: (name) => checks.statusOf(name),
    listener: tellOfServices({
      plan: () => inForce.plan,
      logs,
      notes,
      checks,
      tallies,
      announce,
      progressed: () => {
        if (phase === 'booting') view.show(product());
      },
      alerted: (reason) => {
        alert = reason;
        lookAtAll();
      },
      booted: (ms) => {
        phase = 'running';
        announce({ type: 'booted', ms });
        view.finish(product());
        scheduled.begin();
        void care.look();
      },
      ended: (ended) => end(endedBy(ended)),
    }),
  });

  const scheduled = createScheduled({
    plans: plan.schedules,
    stopTimeout: servicesShare(plan.stopTimeout),
    clock,
    launcher,
    logs,
    ask: worker.ask,
    announce,
    file: `${plan.dataDir}/bulkhead/schedules.json`,
  });

  function product(): ProductStatus {
    return describeProduct(inForce.plan, {
      version: VERSION,
      pid: process.pid,
      since,
      phase,
      services: services.statuses(),
      schedules: scheduled.statuses(),
      notes: notes.list(),
      working: working.list(),
      jobs: worker.summary(),
      alert,
    });
  }

  const target = createHallTarget({
    dataDir: plan.dataDir,
    product,
    self: () => self.status(),
    isReady: () => health.ready().ok,
    figures: () => ({ runs: tallies.figures(), logs: logs.stats().files, reaped: reaper.reaped }),
    inForce,
    services,
    scheduled,
    companions,
    sinkRuns,
    working,
    logs,
    events,
    ask: worker.ask,
  });
  const operate = createOperateDoor({
    target,
    clock,
    runDir: request.runDir,
    isolated: request.root,
    say: (level, text) => logs.own(level, text),
  });

  const forgetSignals = onSignals({
    terminate: (signal, times) => {
      if (times > 1) for (const each of [services, scheduled]) each.hurry();
      logs.own('info', times === 1 ? `stopping: ${signal}` : `${signal} again: hurrying`);
      end(ASKED);
    },
    reload: () =>
      void target
        .reload({ dryRun: false })
        .catch((error) => logs.own('error', `cannot reload: ${messageOf(error)}`)),
    reopen: () => logs.reopen(),
  });

  if (boot.wasAsked()) end(ASKED);

  token();
  await using open = new AsyncDisposableStack();
  await refuseTakenPorts(plan, portFacts);
  open.use(await openDoors({ target, health, clock, plan, token }));
  open.use(operate);
  await operate.ensure(plan);
  for (const text of bootNotes) logs.own('warn', text);
  // libuv tells signals last in a turn of the loop: one that is here already must be heard before anything starts.
  await nextTurn();
  if (!isOver) services.startAll();
  care.begin();

  const ending = await finished.promise;
  phase = 'stopping';
  let unclean: readonly string[];
  try {
    view.abandon();
    care.end();
    if (ending !== ASKED)
      logs.own('fatal', `${ending.brief ?? ending.reason.replace(/\.$/, '')}; stopping everything`);
    announce({ type: 'stopping', reason: ending.reason });
    checks.stopAll();
  } finally {
    // Whatever went wrong in telling it, nobody is left running.
    companions.stop();
    const ends = await Promise.all([scheduled.shutdown(), services.shutdown()]);
    unclean = ends.flatMap((each) => each.unclean);
    companions.kill();
    sinkRuns.kill();
  }
  const code = exitCodeOf(ending, unclean);
  const killed = unclean.length === 0 ? '' : `, but had to kill ${unclean.join(', ')}`;
  logs.own('info', `stopped${killed}; exit ${code}`);
  await open.disposeAsync();
  forgetSignals();
  reaper.stop();
  await Promise.all([logs.close(LOG_FLUSH_MS), waitAtMost(closeEvents(), LOG_FLUSH_MS, clock)]);
  return code;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
