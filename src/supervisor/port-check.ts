/** Before anything starts: no port of the plan may be answered by a stranger, whose answers would pass for ours. */
import { Failure } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import { UpExit } from '../protocol/exit-codes.ts';

export interface PortFacts {
  /** Whether something listens there already. */
  isTaken(host: string, port: number): Promise<boolean>;
  /** "postgres (pid 412)", where it can be seen. */
  whoListens(port: number): string | undefined;
}

interface Wanted {
  readonly service: string;
  readonly port: number;
  /** The variable that moves it. */
  readonly remedy: string;
}

/** @throws Failure (exit 13) that names each port that is taken, by whom, and how to move it. */
export async function refuseTakenPorts(plan: Plan, facts: PortFacts): Promise<void> {
  const problems: { readonly message: string; readonly remedy: string }[] = [];
  for (const { service, port, remedy } of listWanted(plan)) {
    if (!(await facts.isTaken('127.0.0.1', port))) continue;
    const owner = facts.whoListens(port);
    problems.push({ message: `port ${port} of ${service} is taken${owner ? ` by ${owner}` : ''}`, remedy });
  }
  const [first] = problems;
  if (first === undefined) return;
  throw new Failure(`cannot start: ${problems.map(({ message }) => message).join('; ')}`, {
    remedy: problems.map(({ remedy }) => remedy).join('; '),
    code: 'port-taken',
    exitCode: UpExit.cannotStart,
  });
}

function listWanted(plan: Plan): Wanted[] {
  const wanted: Wanted[] = [];
  if (plan.database) {
    const { port } = plan.database;
    wanted.push({ service: 'the database', port, remedy: `stop it, or set BULKHEAD_DB_PORT=${port + 1}` });
  }
  for (const run of plan.runs) {
    const port = run.kind === 'service' ? checkedPort(run.healthcheck?.probe) : undefined;
    if (port === undefined) continue;
    const remedy = `stop it, or set ${run.name === 'app' ? 'PORT' : `the port of ${run.name}`}=${port + 1}`;
    wanted.push({ service: run.name, port, remedy });
  }
  return wanted;
}

type Probe = NonNullable<Extract<Plan['runs'][number], { kind: 'service' }>['healthcheck']>['probe'];

function checkedPort(probe: Probe | undefined): number | undefined {
  if (probe?.kind === 'tcp') return isOurs(probe.host) ? probe.port : undefined;
  if (probe?.kind !== 'http' || typeof probe.url !== 'string') return undefined;
  const url = URL.parse(probe.url);
  if (url === null || !isOurs(url.hostname)) return undefined;
  return url.port === '' ? 80 : Number(url.port);
}

function isOurs(host: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]', '::1'].includes(host);
}
