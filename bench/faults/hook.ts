/** Somebody who gets alerts, and remembers when. Times are ms of performance.now(). */
import { openSinkServer } from '../../test/support/sink-server.ts';

export interface Told {
  readonly at: number;
  readonly status: string;
  /** `CrashLoop/app` */
  readonly fingerprint: string;
  readonly description: string;
}

export interface Hook extends AsyncDisposable {
  readonly url: string;
  readonly told: Told[];
  /** Of every request, also of those that were refused. */
  readonly asked: number[];
  /** What it answers from now on. */
  status: number;
}

export async function openHook(): Promise<Hook> {
  const server = await openSinkServer();
  const hook: Hook = {
    url: `${server.url}/hook`,
    told: [],
    asked: [],
    status: 200,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  server.answer = (response) => {
    const at = performance.now();
    hook.asked.push(at);
    if (hook.status === 200) hook.told.push(...readMessage(server.got.at(-1)?.body ?? '', at));
    response.writeHead(hook.status).end();
  };
  return hook;
}

function readMessage(body: string, at: number): Told[] {
  const { status, alerts }: { status: string; alerts: Omit<Told, 'at' | 'status'>[] } = JSON.parse(body);
  return alerts.map(({ fingerprint, description }) => ({ at, status, fingerprint, description }));
}
