/** To which moments one can go back. Pure: over what base backups say of themselves and the segments that are there. */
import type { ArchivedSegment } from './archive.ts';
import { parseLsn, segmentAt } from './segments.ts';
import { type Fork, type Stretch, stretchesOf } from './timelines.ts';

/** What a manifest says of a base backup. */
export interface Base {
  readonly id: string;
  /** ISO 8601: the moment it is of. */
  readonly startedAt: string;
  readonly wal: { readonly startLsn: string; readonly endLsn: string; readonly timeline: number };
}

/** The moments that one base backup and the unbroken log after it reach. */
export interface Window {
  readonly base: string;
  /** The timeline that is followed to its end. */
  readonly timeline: number;
  /** ISO 8601 */
  readonly from: string;
  /** ISO 8601: the last write to the last segment; where nothing follows the backup, its own moment. */
  readonly to: string;
  /** The segments in their order, from the backup's end. */
  readonly segments: readonly ArchivedSegment[];
  /** The first one that is missing, though there are later ones: what comes after it cannot be reached from here. */
  readonly hole: { readonly timeline: number; readonly number: bigint } | undefined;
}

export interface WindowFacts {
  readonly bases: readonly Base[];
  readonly segmentSize: number;
  readonly segments: readonly ArchivedSegment[];
  readonly histories: ReadonlyMap<number, readonly Fork[]>;
}

/** Per base backup and timeline it lies on, but for timelines that add nothing; oldest backup first. */
export function findWindows(facts: WindowFacts): Window[] {
  const timelines = [
    ...new Set([
      ...facts.bases.map(({ wal }) => wal.timeline),
      ...facts.segments.map(({ timeline }) => timeline),
    ]),
  ];
  const ways = timelines.sort((a, b) => a - b).map((timeline) => stretchesOf(timeline, facts.histories));
  const present = new Map(facts.segments.map((segment) => [keyOf(segment), segment]));
  const bases = [...facts.bases].sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return bases.flatMap((base) => {
    const found = ways.filter((way) => liesOn(base, way)).map((way) => follow(base, way, present, facts));
    return found.filter(
      (window) =>
        window.timeline === base.wal.timeline ||
        window.segments.some(({ timeline }) => timeline === window.timeline),
    );
  });
}

/** The oldest position any of these needs, its own label included; undefined where there are none. Pure. */
export function walNeededFrom(bases: readonly Pick<Base, 'wal'>[]): bigint | undefined {
  const starts = bases.map(({ wal }) => parseLsn(wal.startLsn));
  return starts.reduce<bigint | undefined>(
    (least, start) => (least === undefined || start < least ? start : least),
    undefined,
  );
}

/** A backup made after a timeline was left cannot follow the one that came of it. */
function liesOn({ wal }: Base, way: readonly Stretch[]): boolean {
  const own = way.find(({ timeline }) => timeline === wal.timeline);
  return own !== undefined && (own.to === undefined || parseLsn(wal.endLsn) <= own.to);
}

function follow(
  base: Base,
  way: readonly Stretch[],
  present: ReadonlyMap<string, ArchivedSegment>,
  { segmentSize, segments: all }: WindowFacts,
): Window {
  const timeline = way.at(-1)?.timeline ?? base.wal.timeline;
  const segments: ArchivedSegment[] = [];
  // All before its end lies in the backup itself.
  let number = segmentAt(parseLsn(base.wal.endLsn), segmentSize);
  for (;;) {
    const found = findSegment(number, way, present, segmentSize);
    if (!found) break;
    segments.push(found);
    number += 1n;
    // The new timeline wrote nothing that was archived: the old one is followed to where it was left.
    if (found.timeline !== ownerOf(number - 1n, way, segmentSize).timeline) break;
  }
  const missing = { timeline: ownerOf(number, way, segmentSize).timeline, number };
  const isHole = all.some((later) => later.timeline === missing.timeline && later.number > number);
  const last = segments.reduce((latest, { at }) => Math.max(latest, at), Date.parse(base.startedAt));
  return {
    base: base.id,
    timeline,
    from: base.startedAt,
    to: new Date(last).toISOString(),
    segments,
    hole: isHole ? missing : undefined,
  };
}

/** Of the newest timeline that has begun by then; in the segment where it begins the one before will do. */
function findSegment(
  number: bigint,
  way: readonly Stretch[],
  present: ReadonlyMap<string, ArchivedSegment>,
  size: number,
): ArchivedSegment | undefined {
  const owner = ownerOf(number, way, size);
  const own = present.get(keyOf({ timeline: owner.timeline, number }));
  if (own || segmentAt(owner.from, size) !== number) return own;
  const before = way[way.indexOf(owner) - 1];
  return before && present.get(keyOf({ timeline: before.timeline, number }));
}

function ownerOf(number: bigint, way: readonly Stretch[], size: number): Stretch {
  const owner = way.findLast(({ from }) => segmentAt(from, size) <= number);
  if (!owner) throw new Error('a way through timelines that does not begin at the beginning');
  return owner;
}

function keyOf({ timeline, number }: { readonly timeline: number; readonly number: bigint }): string {
  return `${timeline}/${number}`;
}
