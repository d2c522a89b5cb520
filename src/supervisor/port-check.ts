/** Before anything starts: no port of the plan may be answered by a stranger, whose answers would pass for ours. */
import { Failure } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import type { RunPlan } from '../config/plan-runs.ts';
import { CommandExit, UpExit } from '../protocol/exit-codes.ts';
import type { ProductStatus } from '../protocol/status.ts';

export interface PortFacts {
  /** Whether something listens there already. */
  isTaken(host: string, port: number): Promise<boolean>;
  /** "postgres (pid 412)", where it can be seen. */
  whoListens(port: number): string | undefined;
}

interface Wanted {
  readonly service: string;
  readonly port: number;
  /** The variable that moves it, or the word of the plan. */
  readonly variable: string;
}

/** @throws Failure (exit 13) that names each port that is taken, by whom, and how to move it. */
export async function refuseTakenPorts(plan: Plan, facts: PortFacts): Promise<void> {
  const taken: { readonly what: string; readonly move: string }[] = [];
  const wanted = listWanted(plan);
  const spoken = new Set(wanted.map(({ port }) => port));
  for (const { service, port, variable } of wanted) {
    if (!(await facts.isTaken('127.0.0.1', port))) continue;
    const owner = facts.whoListens(port);
    const what = `port ${port} of ${service} is taken${owner ? ` by ${owner}` : ''}`;
    taken.push({ what, move: `set ${variable}=${await findFree(port, spoken, facts)}` });
  }
  const [first, second] = taken;
  if (first === undefined) return;
  const each = taken.map(({ what, move }) => `\n  ${what}: ${move}`).join('');
  throw new Failure(`cannot start: ${second === undefined ? first.what : `ports are taken${each}`}`, {
    remedy:
      second === undefined ? `stop it, or ${first.move}` : 'stop what holds them, or set what each line says',
    code: 'port-taken',
    exitCode: UpExit.cannotStart,
  });
}

/**
 * The same of runs, replicas above all, that are to be started beside what runs. One of that name that is just being stopped still has
 * its port, and nobody starts before it has gone.
 * @throws Failure (exit 5) that names each port that is taken, and by whom
 */
export async function refuseTakenReplicas(
  verb: 'scale' | 'reload',
  runs: readonly RunPlan[],
  { services }: Pick<ProductStatus, 'services'>,
  facts: PortFacts,
  /** Those of runs that are there: who takes over from one of them waits for its end. */
  ours: ReadonlySet<number> = new Set(),
): Promise<void> {
  const live = new Set(services.flatMap(({ name, pid }) => (pid === undefined ? [] : [name])));
  const taken: string[] = [];
  for (const run of runs) {
    const port = ownPort(run);
    if (port === undefined || live.has(run.name) || ours.has(port)) continue;
    if (!(await facts.isTaken('127.0.0.1', port))) continue;
    const owner = facts.whoListens(port);
    taken.push(`port ${port} of ${run.name} is taken${owner ? ` by ${owner}` : ''}`);
  }
  if (taken.length === 0) return;
  throw new Failure(`cannot ${verb}: ${taken.join(', ')}; nothing was started`, {
    remedy:
      verb === 'scale' ? 'stop what holds it, or ask for fewer' : 'stop what holds it, or correct the plan',
    code: 'port-taken',
    exitCode: CommandExit.refused,
  });
}

/** Where these listen, as far as the plan says. */
export function portsOf(runs: readonly RunPlan[]): ReadonlySet<number> {
  return new Set(runs.flatMap((run) => ownPort(run) ?? []));
}

/** The next one above that neither anybody has nor we want ourselves. */
async function findFree(port: number, spoken: Set<number>, facts: PortFacts): Promise<number> {
  for (let candidate = port + 1; candidate < Math.min(port + 100, 65_536); candidate += 1) {
    if (spoken.has(candidate) || (await facts.isTaken('127.0.0.1', candidate))) continue;
    spoken.add(candidate);
    return candidate;
  }
  return port + 1;
}

/** The variables of those whose port people move by one. */
const MOVED_BY: Readonly<Record<string, string>> = { app: 'PORT', api: 'BULKHEAD_API_PORT' };

function listWanted(plan: Plan): Wanted[] {
  const wanted: Wanted[] = [{ service: 'the probes', port: plan.ports.probes, variable: 'BULKHEAD_PORT' }];
  if (plan.database && !plan.database.external) {
    const { port } = plan.database;
    wanted.push({ service: 'the database', port, variable: 'BULKHEAD_DB_PORT' });
  }
  for (const run of plan.runs) {
    const port = ownPort(run);
    if (port === undefined) continue;
    const variable = MOVED_BY[run.name] ?? `the port of ${run.name}`;
    wanted.push({ service: run.name, port, variable });
  }
  return wanted;
}

/** Where it will listen: its check asks there, or it is the port that a replica counted up from. */
function ownPort(run: RunPlan): number | undefined {
  const checked = run.kind === 'service' ? checkedPort(run.healthcheck?.probe) : undefined;
  if (checked !== undefined || run.replicaOf === undefined) return checked;
  const given = run.environment.PORT;
  return typeof given === 'string' && /^\d{1,5}$/.test(given) ? Number(given) : undefined;
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
