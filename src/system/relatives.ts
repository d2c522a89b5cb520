/**
 * Who belongs to a child we started: its descendants while it lives; after its death what the kernel gave to us as
 * orphans and still carries its group, its session or its tag. A process that made a session of its own and let its
 * parent die is found by the tag in its environment.
 */
import { listOwnedPids } from './children.ts';
import type { ProcessEntry } from './process-table.ts';
import {
  isBetweenPrograms,
  isDead,
  listProcesses,
  readChildren,
  readOwnChildren,
  readProcess,
  readVariable,
} from './process-table.ts';

/** The environment variable that names the run and generation a process descends from. */
export const TAG_VARIABLE = 'BULKHEAD_SERVICE';

/** So often, about a millisecond, a process that is just becoming another program is asked for its tag. */
const MOST_TRIES = 30;

export interface Leader {
  readonly pid: number;
  readonly tag: string;
  /** Reaped: the pid may be another's by now. */
  readonly gone: boolean;
  /** Everything of it was to be killed: so is what shows itself later. */
  readonly condemned: boolean;
}

/** One look at the process table, shared by everybody who asks in the same moment. */
export class ProcessView {
  private static current: ProcessView | undefined;

  /** The view of this turn of the event loop: who signals a thousand services looks once. */
  static shared(): ProcessView {
    if (!ProcessView.current) {
      ProcessView.current = new ProcessView();
      setImmediate(() => {
        ProcessView.current = undefined;
      });
    }
    return ProcessView.current;
  }

  private readonly entries = new Map<number, ProcessEntry | undefined>();
  private readonly tags = new Map<number, string | undefined>();
  private parents: Map<number, number[]> | undefined;
  private uncertain = false;
  private children: ReturnType<ProcessView['listChildren']> | undefined;

  /** Whether a process was seen that shows its environment only in a moment: what is not found may still be there. */
  isUncertain(): boolean {
    return this.uncertain;
  }

  /** The live processes that belong to a leader, itself included. */
  relativesOf(leader: Leader): ProcessEntry[] {
    const found: ProcessEntry[] = [];
    const { owned, orphans } = this.listChildren();
    // The number of a dead leader whose group is empty is free again, and may be that of another child of ours.
    const idIsOurs = !leader.gone || !owned.has(leader.pid);
    const sharesId = (entry: ProcessEntry): boolean =>
      idIsOurs && (entry.group === leader.pid || entry.session === leader.pid);
    const visit = (pid: number, inherited: boolean): void => {
      const entry = this.entryOf(pid);
      if (!entry || isDead(entry)) return;
      const belongs = inherited || sharesId(entry) || this.tagOf(entry) === leader.tag;
      if (belongs) found.push(entry);
      for (const child of this.childrenOf(pid)) visit(child, belongs);
    };
    if (!leader.gone) visit(leader.pid, true);
    for (const pid of orphans) visit(pid, false);
    return found;
  }

  /** Our children that nobody here started. */
  listOrphans(): readonly number[] {
    return this.listChildren().orphans;
  }

  private listChildren(): { readonly owned: ReadonlySet<number>; readonly orphans: readonly number[] } {
    if (!this.children) {
      const owned = listOwnedPids();
      const all = readOwnChildren() ?? this.childrenOf(process.pid);
      this.children = { owned, orphans: all.filter((pid) => !owned.has(pid)) };
    }
    return this.children;
  }

  private entryOf(pid: number): ProcessEntry | undefined {
    if (!this.entries.has(pid)) this.entries.set(pid, readProcess(pid));
    return this.entries.get(pid);
  }

  private tagOf({ pid }: ProcessEntry): string | undefined {
    if (this.tags.has(pid)) return this.tags.get(pid);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const isSettled = !isBetweenPrograms(pid);
      const tag = readVariable(pid, TAG_VARIABLE);
      if (tag === undefined && !isSettled) continue;
      this.tags.set(pid, tag);
      return tag;
    }
    this.uncertain = true;
    return undefined;
  }

  private childrenOf(pid: number): readonly number[] {
    if (!this.parents) {
      const listed = readChildren(pid);
      if (listed) return listed;
      this.parents = groupByParent(listProcesses());
    }
    return this.parents.get(pid) ?? [];
  }
}

function groupByParent(entries: readonly ProcessEntry[]): Map<number, number[]> {
  const parents = new Map<number, number[]>();
  for (const { pid, parent } of entries) {
    const children = parents.get(parent);
    if (children) children.push(pid);
    else parents.set(parent, [pid]);
  }
  return parents;
}
