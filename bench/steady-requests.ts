/** Requests at a steady rate, whatever the answers take: who asks does not wait for a slow server to ask the next. */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Requests {
  readonly sent: number;
  /** How many failed, by how. */
  readonly failed: ReadonlyMap<string, number>;
  /** ms, from the moment it was due; of those that were answered. */
  readonly latencies: readonly number[];
}

const TOO_LATE_MS = 10_000;

/** @param perSecond how many, evenly spread; each goes to the next of the paths */
export async function askSteadily(
  port: number,
  paths: readonly string[],
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<Requests> {
  // Given up before the server does (5 s), so that no request meets a connection that is just being closed.
  const agent = new Agent({ keepAlive: true, timeout: 3000 });
  const failed = new Map<string, number>();
  const latencies: number[] = [];
  const count = Math.round(perSecond * seconds);
  const pending: Promise<void>[] = [];
  const start = performance.now();
  for (let index = 0; index < count; index += 1) {
    const due = start + (index * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    const path = paths[index % paths.length] ?? '/';
    pending.push(
      ask(agent, port, path).then((problem) => {
        if (problem === undefined) latencies.push(performance.now() - due);
        else failed.set(problem, (failed.get(problem) ?? 0) + 1);
      }),
    );
  }
  await Promise.all(pending);
  agent.destroy();
  return { sent: count, failed, latencies };
}

/** Why it failed; undefined: it was answered well, to the last byte. */
function ask(agent: Agent, port: number, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent, timeout: TOO_LATE_MS }, (response) => {
      const { statusCode = 0 } = response;
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => resolve(statusCode < 400 ? undefined : `status ${statusCode}`));
      response.resume();
    });
    const tooLate = setTimeout(() => request.destroy(new Error('no answer within 10 s')), TOO_LATE_MS);
    request.on('error', (error) => resolve(error.message));
    request.on('close', () => clearTimeout(tooLate));
  });
}
