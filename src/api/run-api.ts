/** The program `api`: serves port 9701 until PID 1 asks it to stop. */
import type { AlertsRoom } from '../alerts/alerts.ts';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { Scrape } from '../metrics/scrape.ts';
import type { Job } from '../program/job.ts';
import type { JobsStatus } from '../protocol/jobs.ts';
import type { MetricsAnswer } from '../protocol/metrics.ts';
import type { TokensAnswer } from '../protocol/tokens.ts';
import { systemClock } from '../system/clock.ts';
import { createAudit } from './audit.ts';
import { createEventHub } from './event-hub.ts';
import { resumeOperations } from './kept-operations.ts';
import { createOperate, type Operate } from './operate.ts';
import { createOperations } from './operations.ts';
import { createServer } from './server.ts';
import { type ApiSettings, readSettings } from './settings.ts';
import { createTokenBook } from './token-book.ts';

/** Loaded with the first scrape: where nobody scrapes, it costs nothing. */
function scrapeLater(
  { dataDir, jobTypes, metrics }: ApiSettings,
  operate: Operate,
  alerts: AlertsRoom | undefined,
): Scrape {
  let scrape: Promise<Scrape> | undefined;
  const open = async (): Promise<Scrape> => {
    const [{ createScrape }, { createMeasuring }, { readApp }] = await Promise.all([
      import('../metrics/scrape.ts'),
      import('../metrics/measuring.ts'),
      import('../metrics/from-app.ts'),
    ]);
    const app = metrics?.app;
    return createScrape({
      sources: {
        supervisor: () => operate.get<MetricsAnswer>('/v1/metrics'),
        app: app === undefined ? undefined : () => readApp(app),
        measures: createMeasuring({
          begin: (signal) => operate.runs('measure', {}, signal),
          now: () => performance.now(),
          after: systemClock.after,
        }),
        alerts: alerts && (() => alerts.figures()),
        jobs: jobTypes.length === 0 ? undefined : () => operate.jobs<JobsStatus>({ op: 'status' }),
      },
      dataDir,
      now: () => performance.now(),
    });
  };
  return async (accept) => {
    scrape ??= open();
    return (await scrape)(accept);
  };
}

/** Requests under way at a stop get so long. */
const FINISH_MS = 700;

export async function runApi(job: Job): Promise<void> {
  const { assignment, signal, say, hear } = job;
  job.showLife();
  const settings = readSettings(assignment);
  const operate = createOperate(settings.operateSocket);
  const plan = assignment.alerts;
  // Only here: it is a room of its own, and a plan without alerts does not pay for it.
  const alerts = plan && (await import('./join-alerts.ts')).joinAlerts(job, plan, operate);
  const clocks = { now: () => performance.now(), wallClock: () => Date.now() };
  const operations = createOperations(clocks);
  await resumeOperations(operate, operations).catch((error: unknown) =>
    say(`cannot tell which operations are under way: ${messageOf(error)}`),
  );
  const audit = createAudit(`${settings.dataDir}/bulkhead/console/audit.ndjson`, { say, ...clocks });
  const app = createServer(settings, {
    operate,
    events: createEventHub({ operate, operations }),
    scrape: settings.metrics && scrapeLater(settings, operate, alerts),
    alerts,
    tokens: createTokenBook({
      main: settings.token,
      given: settings.tokens,
      stored: async () => (await operate.get<TokensAnswer>('/v1/tokens')).stored ?? [],
      ...clocks,
    }),
    operations,
    audit,
    say,
    ...clocks,
  });
  const { host, port } = settings;
  try {
    await app.listen({ host, port });
  } catch (error) {
    await alerts?.close();
    const why = codeOf(error) === 'EADDRINUSE' ? 'the port is taken' : messageOf(error);
    throw new Failure(`cannot serve the API on ${host}:${port}: ${why}`, {
      remedy:
        'set BULKHEAD_API_PORT to a free port, or `api: host:` of the plan to an address of this machine',
      cause: error,
    });
  }
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
    // Nothing could be answered any more, and the next supervisor needs the port.
    hear(
      () => undefined,
      () => resolve(),
    );
  });
  const cut = setTimeout(() => app.server.closeAllConnections(), FINISH_MS);
  await Promise.all([app.close(), operations.close(), alerts?.lookLast()]);
  await Promise.all([alerts?.close(), audit.close()]);
  clearTimeout(cut);
}
