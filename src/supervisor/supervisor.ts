/**
 * The hall: the rooms of PID 1 do not know each other and are joined here, one sentence each. It decides nothing a
 * room can decide; what is its own is the order of a boot, the end, and the exit code.
 */
import { Failure, messageOf } from '../base/errors.ts';
import type { Plan, RunPlan } from '../config/plan.ts';
import type { PlanReading, PlanRequest } from '../config/read-plan.ts';
import { listPlan } from '../config/show-plan.ts';
import type { EventBody } from '../protocol/events.ts';
import { CommandExit, UpExit } from '../protocol/exit-codes.ts';
import { socketCandidates } from '../protocol/socket-path.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { AppendFile } from '../system/append-file.ts';
import { systemClock } from '../system/clock.ts';
import { isPortFree, whoListens } from '../system/ports.ts';
import { readEnd } from '../system/read-end.ts';
import { startReaper } from '../system/reaper.ts';
import { onSignals } from '../system/signals.ts';
import { openStandardOutput } from '../system/standard-output.ts';
import { type Companions, createCompanions } from './companions.ts';
import { createEventLog } from './control/event-log.ts';
import { openProbeServer } from './control/probes.ts';
import { openControlServer } from './control/server.ts';
import type { ControlTarget } from './control/target.ts';
import { openChecks } from './health/checks.ts';
import { openHealthView } from './health/health-view.ts';
import { fillText } from './late-values.ts';
import { createLaunchSource } from './launch-source.ts';
import { createLauncher } from './launcher.ts';
import { type Logs, OWN_NAME, openLogs } from './logs/logs.ts';
import { listNotes } from './notes.ts';
import { refuseTakenPorts } from './port-check.ts';
import { describeProduct } from './product.ts';
import { planReload } from './reload.ts';
import type { Ended } from './services/listener.ts';
import { Services } from './services/manager.ts';
import { socketFiles } from './socket-files.ts';
import type { BootObserver } from './up.ts';
import { VERSION } from './version.ts';

export type GoodReading = Extract<PlanReading, { readonly problems?: undefined }>;

export interface Boot {
  /** How the plan was read: a reload reads it the same way. */
  readonly request: PlanRequest;
  readonly reading: GoodReading;
  readonly view: BootObserver;
}

/** Runs the plan until it is asked to stop or must; resolves with the exit code. */
export async function supervise(boot: Boot): Promise<number> {
  let { plan, provenance } = boot.reading;
  const { view, request } = boot;
  const clock = systemClock;
  const since = clock.now();
  const finished = Promise.withResolvers<Ended | undefined>();
  let phase: ProductStatus['phase'] = 'booting';

  const reaper = startReaper();
  const logs = openHallLogs(plan, view);
  const notes = new Set(listNotes(plan.dataDir, request.root));
  const eventFile = new AppendFile(`${plan.dataDir}/bulkhead/events.ndjson`);
  const events = createEventLog({
    now: () => clock.now(),
    appendLine: (line) => eventFile.append(Buffer.from(`${line}\n`), () => undefined),
    listenerFailed: (error) => logs.own('error', `a reader of the events failed: ${messageOf(error)}`),
  });
  const health = openHealthView({ product: () => product(), fault: () => undefined });
  const announce = (body: EventBody): void => {
    events.append(body);
    health.observe();
    if (phase === 'booting') view.show(product());
  };

  const source = createLaunchSource(() => plan, request);
  const companions = createCompanions(source, logs);
  const checks = openChecks(
    clock,
    {
      fill: (_service, text) => fillText(text, source),
      runProbe: (name, argv, signal) => companions.probe(requireRun(plan, name), argv, signal),
    },
    {
      passed: (name, generation) => services.checkPassed(name, generation),
      failed: (name, generation, error, wentDown) => {
        if (wentDown) services.checkFailed(name, generation, error);
      },
    },
  );

  const services = new Services({
    runs: plan.runs,
    stopTimeout: plan.stopTimeout,
    clock,
    random: Math.random,
    launcher: createLauncher(source, logs, clock, {
      logMatched: (name, generation) => services.logMatched(name, generation),
    }),
    lastLine: (name) => logs.lastLine(name)?.line,
    checkOf: (name) => checks.statusOf(name),
    listener: {
      changed: (service, from, to, reason) => {
        logs.own('debug', `${service}: ${from} → ${to}${reason === '' ? '' : ` (${reason})`}`);
        announce({ type: 'changed', service, from, to, reason });
      },
      spawned: (service, generation, pid) => announce({ type: 'spawned', service, generation, pid }),
      exited: (service, generation, { code, signal }, asked) => {
        const end = signal === null ? `exit ${code}` : signal;
        if (!asked && code !== 0) logs.own('warn', `${service} ended: ${end}`);
        announce({ type: 'exited', service, generation, code, signal, asked });
      },
      checksWanted: (name, generation) => {
        const run = requireRun(plan, name);
        if (run.kind === 'service' && run.healthcheck) checks.start(name, generation, run.healthcheck);
      },
      checksUnwanted: (name, generation) => checks.stop(name, generation),
      gaveUp: (service, reason) => {
        logs.own('error', `${service} gave up: ${reason}`);
        announce({ type: 'gaveUp', service, reason });
      },
      reported: (_name, _generation, report) => {
        if (report.type === 'note') note(report.text);
        if (report.type === 'progress' && phase === 'booting') view.show(product());
      },
      booted: (ms) => {
        phase = 'running';
        announce({ type: 'booted', ms });
        view.finish(product());
      },
      ended: (ended) => finished.resolve(ended),
      misbehaved: (text) => logs.own('error', text),
    },
  });

  function product(): ProductStatus {
    return describeProduct(plan, {
      version: VERSION,
      pid: process.pid,
      since,
      phase,
      services: services.statuses(),
      notes: [...notes],
    });
  }

  function note(text: string): void {
    notes.add(text);
    announce({ type: 'noted', text });
  }

  const reload = async ({ dryRun }: { readonly dryRun: boolean }): ReturnType<ControlTarget['reload']> => {
    const next = planReload(plan, request);
    if (dryRun || next.changes.length === 0) return next.changes;
    ({ plan, provenance } = next.reading);
    services.applyPlan(plan.runs);
    const summary = next.changes.map(({ service, action }) => `${action} ${service}`).join(', ');
    logs.own('info', `reloaded: ${summary}`);
    announce({ type: 'reloaded', summary });
    return next.changes;
  };

  const target: ControlTarget = {
    dataDir: plan.dataDir,
    product,
    isReady: () => health.ready().ok,
    start: (names) => services.start(names),
    stop: (names) => services.stop(names),
    restart: (names) => services.restart(names),
    reload,
    planView: () => listPlan(plan, provenance),
    logs,
    events,
    exec: (name, argv) => companions.exec(requireRun(plan, name), argv),
    run: (program, input, onReport, signal) =>
      companions.program(requireRun(plan, 'setup'), program, input, onReport, signal),
  };

  const forgetSignals = onSignals({
    terminate: (signal, times) => {
      if (times > 1) services.hurry();
      logs.own('info', times === 1 ? `stopping: ${signal}` : `${signal} again: hurrying`);
      finished.resolve(undefined);
    },
    reload: () => {
      reload({ dryRun: false }).catch((error: unknown) =>
        logs.own('error', `cannot reload: ${messageOf(error)}`),
      );
    },
    reopen: () => logs.reopen(),
  });

  await using open = new AsyncDisposableStack();
  const probes = await openProbeServer(health, {
    port: plan.ports.probes,
    token: () => plan.token,
    clock,
  });
  open.defer(() => probes.close());
  await refuseTakenPorts(plan, {
    isTaken: async (host, port) => !(await isPortFree(host, port)),
    whoListens: (port) => {
      const owner = whoListens(port);
      return owner && `${owner.name} (pid ${owner.pid})`;
    },
  });
  const uid = process.geteuid?.() ?? 0;
  const control = await openControlServer(target, socketCandidates(plan.dataDir, uid), {
    clock,
    files: socketFiles,
  });
  open.defer(() => control.close());
  for (const text of notes) logs.own('warn', text);
  services.startAll();

  const ended = await finished.promise;
  phase = 'stopping';
  view.abandon();
  if (ended) logs.own('fatal', `${ended.service}: ${ended.reason}; stopping everything`);
  announce({ type: 'stopping', reason: ended ? `${ended.service}: ${ended.reason}` : 'asked to stop' });
  checks.stopAll();
  const { unclean } = await stopEverything(services, companions);
  const code = exitCodeOf(ended, unclean);
  logs.own(
    'info',
    `stopped${unclean.length === 0 ? '' : `, but had to kill ${unclean.join(', ')}`}; exit ${code}`,
  );
  await open.disposeAsync();
  forgetSignals();
  reaper.stop();
  await logs.close(LOG_FLUSH_MS);
  return code;
}

/** What is left of the budget after services: logs of a quick disk need a fraction of it. */
const LOG_FLUSH_MS = 500;

const EXIT_OF: Readonly<Record<Ended['cause'], number>> = {
  criticalGaveUp: UpExit.criticalGaveUp,
  criticalUnhealthy: UpExit.criticalUnhealthy,
  taskFailed: UpExit.taskFailed,
  cannotStart: UpExit.cannotStart,
};

/** The first cause wins; having had to kill replaces only a clean end. */
function exitCodeOf(ended: Ended | undefined, unclean: readonly string[]): number {
  if (ended) return EXIT_OF[ended.cause];
  return unclean.length === 0 ? UpExit.ok : UpExit.unclean;
}

async function stopEverything(services: Services, companions: Companions): ReturnType<Services['shutdown']> {
  companions.signalAll('SIGTERM');
  const result = await services.shutdown();
  companions.signalAll('SIGKILL');
  return result;
}

function openHallLogs(plan: Plan, view: BootObserver): Logs {
  const output = openStandardOutput();
  const logFile = (service: string): string => `${plan.dataDir}/logs/${service}.log`;
  return openLogs({
    clock: systemClock,
    output: {
      isTerminal: output.isTerminal,
      write: (bytes, done) => view.around(() => output.write(bytes, done)),
    },
    openFile: (service) => new AppendFile(logFile(service)),
    readEnd: (service, bytes) => readEnd(logFile(service), bytes),
    level: plan.log.level,
    format: plan.log.format,
    colour: (process.env.NO_COLOR ?? '') === '',
    services: [OWN_NAME, ...plan.runs.map(({ name }) => name)],
    pid: process.pid,
  });
}

function requireRun(plan: Plan, name: string): RunPlan {
  const run = plan.runs.find((each) => each.name === name);
  if (run) return run;
  throw new Failure(`cannot find ${name}: there is no such service in this plan`, {
    exitCode: CommandExit.unknownName,
  });
}
