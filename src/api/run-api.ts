/** The program `api`: serves port 9701 until PID 1 asks it to stop. */
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { Job } from '../program/job.ts';
import { createEventHub } from './event-hub.ts';
import { createOperate } from './operate.ts';
import { createServer } from './server.ts';
import { readSettings } from './settings.ts';

/** Requests under way at a stop get so long. */
const FINISH_MS = 700;

export async function runApi({ assignment, signal, say, hear }: Job): Promise<void> {
  const settings = readSettings(assignment);
  const operate = createOperate(settings.operateSocket);
  const app = createServer(settings, {
    operate,
    events: createEventHub(operate),
    say,
    now: () => performance.now(),
  });
  const { host, port } = settings;
  try {
    await app.listen({ host, port });
  } catch (error) {
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
  await app.close();
  clearTimeout(cut);
}
