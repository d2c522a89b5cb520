/**
 * `deploy.replicas`: one stanza becomes as many, each with its number and its port filled in. Done on the tree before
 * any word is read, so that nothing behind it knows of replicas but their names, and every place stays the written one.
 */
import { joinParts } from './interpolate.ts';
import type { LateName } from './plan-text.ts';
import type { Problems } from './problems.ts';
import { type Entry, keyPlaceAt, type MapValue, type ScalarValue, type Value, valueAt } from './tree.ts';

export interface Expansion {
  readonly tree: MapValue;
  /** The service each replica is one of. */
  readonly replicaOf: ReadonlyMap<string, string>;
}

/** What a replica is told in the places where the plan has these names. */
interface Instance {
  readonly number: number;
  readonly port: number | undefined;
}

/** Filled here, while the plan is read; all other holes wait for the start of a service. */
export const INSTANCE_NAMES = ['BULKHEAD_INSTANCE', 'BULKHEAD_INSTANCE_PORT'] as const satisfies LateName[];

export function isInstanceName(name: LateName): boolean {
  return INSTANCE_NAMES.some((one) => one === name);
}

/** `counts`: what a person asked for at run time; it beats the number in the plan. */
export function expandReplicas(
  tree: MapValue,
  counts: Readonly<Record<string, number>>,
  problems: Problems,
): Expansion {
  const services = tree.entries.get('services');
  const written = services?.value.kind === 'map' ? services.value : undefined;
  refuseUnscalable(written, counts, problems);
  const replicaOf = new Map<string, string>();
  const groups = new Map<string, readonly string[]>();
  const entries = new Map<string, Entry>();
  for (const [name, entry] of written?.entries ?? []) {
    const planned = plannedCount(entry.value);
    const names = planned === undefined ? [name] : namesOf(name, counts[name] ?? planned);
    if (planned !== undefined) groups.set(name, names);
    const port = portOf(entry.value);
    for (const [index, own] of names.entries()) {
      refuseTaken(own, name, written, problems);
      if (planned !== undefined) replicaOf.set(own, name);
      const instance = { number: index + 1, port: port && port + index };
      entries.set(own, { ...entry, value: fillStanza(entry.value, instance, problems) });
    }
  }
  problems.speakOfWritten(replicaOf.keys());
  if (groups.size > 0) {
    for (const [name, entry] of entries) entries.set(name, { ...entry, value: nameAll(entry.value, groups) });
  }
  const all = new Map(tree.entries);
  for (const [name, { value }] of all) if (name !== 'services') refuseOutside(value, problems);
  if (services && written) all.set('services', { ...services, value: { ...written, entries } });
  return { tree: { ...tree, entries: all }, replicaOf };
}

function namesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

/** undefined: it says nothing, or something that its shape will refuse. */
function plannedCount(service: Value): number | undefined {
  const value = valueAt(service, 'deploy', 'replicas');
  const text = value?.kind === 'scalar' ? value.text : undefined;
  const count = typeof text === 'string' && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
  const type = valueAt(service, 'type');
  if (type?.kind === 'scalar' && type.text === 'task') return undefined;
  return count !== undefined && count <= 1000 ? count : undefined;
}

function portOf(service: Value): number | undefined {
  const value = valueAt(service, 'port');
  const text = value?.kind === 'scalar' ? value.text : undefined;
  return typeof text === 'string' && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

function fillStanza(service: Value, instance: Instance, problems: Problems): Value {
  const filled = fill(service, instance, problems);
  const port = filled.kind === 'map' ? filled.entries.get('port') : undefined;
  if (filled.kind !== 'map' || port?.value.kind !== 'scalar' || instance.port === undefined) return filled;
  const value = { ...port.value, text: String(instance.port) };
  return { ...filled, entries: new Map(filled.entries).set('port', { ...port, value }) };
}

/** The same value where it has no hole of ours. */
function fill(value: Value, instance: Instance, problems: Problems): Value {
  if (value.kind === 'scalar') return fillScalar(value, instance, problems);
  if (value.kind === 'list') {
    const items = value.items.map((item) => fill(item, instance, problems));
    return items.every((item, index) => item === value.items[index]) ? value : { ...value, items };
  }
  const entries = new Map<string, Entry>();
  let isSame = true;
  for (const [name, entry] of value.entries) {
    const filled = fill(entry.value, instance, problems);
    isSame &&= filled === entry.value;
    entries.set(name, { ...entry, value: filled });
  }
  return isSame ? value : { ...value, entries };
}

function fillScalar(value: ScalarValue, instance: Instance, problems: Problems): ScalarValue {
  if (!namesInstance(value)) return value;
  const { text } = value;
  if (typeof text === 'string') return value;
  const parts = text.parts.map((part) => {
    if (typeof part === 'string' || !isInstanceName(part.late)) return part;
    if (part.late === 'BULKHEAD_INSTANCE') return String(instance.number);
    if (instance.port !== undefined) return String(instance.port);
    problems.error(
      value.place,
      'late-value',
      'BULKHEAD_INSTANCE_PORT counts up from port, which is not given',
      {
        suggestion: 'add port: NUMBER to the service',
      },
    );
    return '1';
  });
  const uses = value.uses.filter(({ name }) => !INSTANCE_NAMES.some((one) => one === name));
  return { ...value, text: joinParts(parts), uses };
}

function namesInstance(value: Value): boolean {
  return (
    value.kind === 'scalar' &&
    typeof value.text !== 'string' &&
    value.text.parts.some((part) => typeof part !== 'string' && isInstanceName(part.late))
  );
}

/** `depends_on: web` means every one of them. */
function nameAll(service: Value, groups: ReadonlyMap<string, readonly string[]>): Value {
  if (service.kind !== 'map') return service;
  const entry = service.entries.get('depends_on');
  if (!entry) return service;
  const { value } = entry;
  let named: Value = value;
  if (value.kind === 'list') {
    const items = value.items.flatMap((item): readonly Value[] => {
      const all = item.kind === 'scalar' && typeof item.text === 'string' ? groups.get(item.text) : undefined;
      return all && item.kind === 'scalar' ? all.map((text) => ({ ...item, text })) : [item];
    });
    named = { ...value, items };
  } else if (value.kind === 'map') {
    const pairs = [...value.entries].flatMap(([name, one]) =>
      (groups.get(name) ?? [name]).map((each): [string, Entry] => [each, one]),
    );
    named = { ...value, entries: new Map(pairs) };
  }
  return { ...service, entries: new Map(service.entries).set('depends_on', { ...entry, value: named }) };
}

function refuseTaken(own: string, group: string, services: MapValue | undefined, problems: Problems): void {
  if (own === group || !services?.entries.has(own)) return;
  problems.error(
    keyPlaceAt(services, own),
    'bad-name',
    `"${own}" is taken: it is one of the replicas of ${group}`,
    { suggestion: 'choose another name' },
  );
}

function refuseUnscalable(
  services: MapValue | undefined,
  counts: Readonly<Record<string, number>>,
  problems: Problems,
): void {
  for (const [name, count] of Object.entries(counts)) {
    const service = services?.entries.get(name)?.value;
    if (service && plannedCount(service) !== undefined) continue;
    problems.error(
      { outside: 'command line', source: `${name}=${count}` },
      'no-replicas',
      service ? `${name} has no deploy.replicas` : `there is no service ${name}`,
      { suggestion: service ? 'add deploy: { replicas: 1 } to it, and reload' : undefined },
    );
  }
}

function refuseOutside(value: Value, problems: Problems): void {
  if (value.kind === 'list') for (const item of value.items) refuseOutside(item, problems);
  else if (value.kind === 'map') {
    for (const [name, entry] of value.entries)
      if (!name.startsWith('x-')) refuseOutside(entry.value, problems);
  } else if (namesInstance(value)) {
    problems.error(value.place, 'late-value', 'only services have BULKHEAD_INSTANCE and its port', {
      suggestion: 'write it inside services: NAME',
    });
  }
}
