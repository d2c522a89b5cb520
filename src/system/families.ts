/** What the processes we started use, with all their descendants: read from /proc when somebody asks, and only then. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Leader } from './relatives.ts';
import { ProcessView } from './relatives.ts';

/** Of all live processes of one name together. */
export interface FamilyLoad {
  /** Of the living ones and of what they have waited for: falls when an orphan dies. */
  readonly cpuSeconds: number;
  /** Memory of its own that is in RAM. What it shares (PostgreSQL's buffers) and maps from files does not count. */
  readonly residentBytes: number;
  /** Undefined: closed to us. */
  readonly openFiles: number | undefined;
  readonly threads: number;
  readonly processes: number;
}

const living = new Set<Leader>();

/** Called once for each process that is started; it stays until nothing of it lives. */
export function enterFamily(leader: Leader): () => void {
  living.add(leader);
  return () => living.delete(leader);
}

/** Of each family that lives; `tag` is `<name>:<generation>`. A process costs three reads, about 50 µs. */
export function readFamilies(): { readonly leader: Leader; readonly load: FamilyLoad }[] {
  const view = ProcessView.shared();
  return [...living].map((leader) => ({ leader, load: sum(view.relativesOf(leader).map(readLoad)) }));
}

/**
 * Each process of each family that lives, with the name before the generation; looked for as they are taken.
 * @param wants asked before the processes of a family are looked for
 */
export function* listFamilies(
  wants: (service: string) => boolean,
): Generator<{ readonly service: string; readonly pid: number }> {
  const view = ProcessView.shared();
  for (const leader of living) {
    const service = leader.tag.slice(0, leader.tag.lastIndexOf(':'));
    if (!wants(service)) continue;
    for (const { pid } of view.relativesOf(leader)) yield { service, pid };
  }
}

/** USER_HZ, which is 100 on every architecture Linux runs Node on (see time(7)). */
const TICKS_PER_SECOND = 100;
const NOTHING: FamilyLoad = {
  cpuSeconds: 0,
  residentBytes: 0,
  openFiles: undefined,
  threads: 0,
  processes: 0,
};

function sum(loads: readonly FamilyLoad[]): FamilyLoad {
  return loads.reduce(
    (all, one) => ({
      cpuSeconds: all.cpuSeconds + one.cpuSeconds,
      residentBytes: all.residentBytes + one.residentBytes,
      openFiles: one.openFiles === undefined ? all.openFiles : (all.openFiles ?? 0) + one.openFiles,
      threads: all.threads + one.threads,
      processes: all.processes + one.processes,
    }),
    NOTHING,
  );
}

function readLoad({ pid }: { readonly pid: number }): FamilyLoad {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === '') return NOTHING;
  // The name before it may contain any character; from here on it is field 3 of proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3] ?? 0);
  const anonymous = /^RssAnon:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`))?.[1];
  return {
    cpuSeconds: (field(14) + field(15) + field(16) + field(17)) / TICKS_PER_SECOND,
    residentBytes: Number(anonymous ?? 0) * 1024,
    openFiles: countOpenFiles(pid),
    threads: field(20),
    processes: 1,
  };
}

function countOpenFiles(pid: number): number | undefined {
  const path = `/proc/${pid}/fd`;
  try {
    // Since Linux 6.2 the size of the folder is the count, and open to everybody.
    return statSync(path).size || readdirSync(path).length;
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
