/** From which base backup a moment is reached; throws a Failure that says which moments can be. */
import { join } from 'node:path';
import type { BaseBackup, Line } from '../backups/moments.ts';
import { Failure } from '../base/errors.ts';
import { readIdentity } from '../postgres/identity.ts';
import type { Layout } from '../postgres/layout.ts';
import { type ControlFile, readControlFile } from '../postgres/pg-control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { chooseWindow } from '../wal/choose-window.ts';
import type { Moment } from '../wal/moment.ts';
import { segmentName } from '../wal/segments.ts';
import type { Window } from '../wal/windows.ts';
import { majorInUse } from './major-in-use.ts';

export interface Route {
  readonly line: Line;
  readonly base: BaseBackup;
  readonly window: Window;
}

/** The most windows that are told. */
const TOLD = 4;

export function findRoute(lines: readonly Line[], moment: Moment, layout: Layout): Route {
  if (moment.at > Date.now()) refuse(`${moment.text} is not yet`, 'write a moment that has been');
  const own = readIdentity(layout.identity)?.systemIdentifier;
  const living = readLiving(layout);
  // The cluster that is in use first; another one only where this one was never archived.
  const sorted = [...lines].sort((a, b) => Number(isOf(b, own)) - Number(isOf(a, own)));
  if (sorted.length === 0) {
    refuse('there is no base backup', 'make one: bulkhead backup run base');
  }
  for (const line of sorted) {
    const window = chooseWindow(
      line.windows,
      moment,
      (timeline) => line.archive.begun.get(timeline),
      isOf(line, living?.systemIdentifier) ? living?.timeline : undefined,
    );
    const base = line.bases.find(({ id }) => id === window?.base);
    if (!window || !base) continue;
    if (moment.text === undefined && window.hole !== undefined) refuseHole(line, window);
    return { line, base, window };
  }
  return refuse(`no base backup and archived log reach ${moment.text}`, tellWindows(sorted));
}

function isOf({ bases }: Line, systemIdentifier: string | undefined): boolean {
  return bases.some(({ manifest }) => manifest.server.systemIdentifier === systemIdentifier);
}

/** Undefined where there is no cluster, or none that can be read: the way back must not need it. */
function readLiving(layout: Layout): ControlFile | undefined {
  const major = majorInUse(layout);
  try {
    return major === undefined ? undefined : readControlFile(join(layout.pg, String(major), 'main'));
  } catch {
    return undefined;
  }
}

function refuseHole({ archive }: Line, { hole, to }: Window): never {
  const name = hole ? segmentName(hole, archive.segmentSize) : '';
  return refuse(
    `the end of the log cannot be reached: ${name} is missing`,
    `the last moment before it: bulkhead backup restore --to-time ${to}`,
  );
}

function tellWindows(lines: readonly Line[]): string {
  const windows = lines.flatMap(({ windows: found, archive }) =>
    found.map(({ from, to, hole }) => {
      const end = hole ? `, then ${segmentName(hole, archive.segmentSize)} is missing` : '';
      return `from ${from} to ${to}${end}`;
    }),
  );
  const more = windows.length > TOLD ? `; and ${windows.length - TOLD} more: bulkhead backup list` : '';
  return `possible are moments ${windows.slice(-TOLD).join('; ')}${more}`;
}

function refuse(why: string, remedy: string): never {
  throw new Failure(`cannot go back: ${why}`, { remedy, exitCode: CommandExit.refused });
}
