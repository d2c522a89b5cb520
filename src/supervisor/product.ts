/** The product as people are shown it, put together from what the rooms know. */
import type { Plan } from '../config/plan.ts';
import { overallOf } from '../protocol/overall.ts';
import { type ProductStatus, SCHEMA_VERSION, type ServiceStatus } from '../protocol/status.ts';

export interface ProductFacts {
  readonly version: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly phase: ProductStatus['phase'];
  readonly services: readonly ServiceStatus[];
  readonly notes: readonly string[];
}

export function describeProduct(plan: Plan, facts: ProductFacts): ProductStatus {
  const since = new Date(facts.since).toISOString();
  const { overall, reason } = overallOf(facts.services, facts.phase);
  return {
    schemaVersion: SCHEMA_VERSION,
    name: plan.name,
    version: facts.version,
    tier: plan.tier,
    pid: facts.pid,
    since,
    phase: facts.phase,
    overall,
    reason,
    services: [...facts.services, ...plan.disabled.map(({ name, why }) => disabledStatus(name, why, since))],
    notes: facts.notes,
    addresses: listAddresses(plan),
  };
}

/** Where people find it: the address an http check asks, without its path, and our own probes. */
function listAddresses(plan: Plan): ProductStatus['addresses'] {
  const addresses = plan.runs.flatMap((run) => {
    const probe = run.kind === 'service' ? run.healthcheck?.probe : undefined;
    if (probe?.kind !== 'http' || typeof probe.url !== 'string') return [];
    const url = URL.parse(probe.url);
    if (url === null) return [];
    return [{ what: run.name, url: `${url.protocol}//${url.host.replace('127.0.0.1', 'localhost')}/` }];
  });
  return [...addresses, { what: 'health', url: `http://localhost:${plan.ports.probes}/health` }];
}

function disabledStatus(name: string, why: string, since: string): ServiceStatus {
  return {
    name,
    kind: 'service',
    status: 'disabled',
    reason: why,
    since,
    generation: 0,
    pid: undefined,
    critical: false,
    restarts: 0,
    nextStart: undefined,
    startedIn: undefined,
    lastExit: undefined,
    lastLine: undefined,
    check: undefined,
    progress: undefined,
  };
}
