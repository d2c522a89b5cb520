/** Which clients can read an archive of pg_dump, told by the version in its header. */
import { Failure } from '../base/errors.ts';

/** The first major of PostgreSQL whose pg_restore reads a format (K_VERS_1_* of pg_backup_archiver.h). */
const FIRST_MAJOR: readonly (readonly [format: number, major: number])[] = [
  [12, 9],
  // Brought to the minor releases of older majors, too.
  [13, 10],
  [14, 12],
  [15, 16],
  [16, 17],
];

/**
 * Throws a Failure where the archive is of a format newer than the tools of `major` read. The header alone is looked
 * at, so that a large archive is refused at once.
 */
export function requireReadable(path: string, version: string | undefined, major: number): void {
  const minor = /^1\.(\d+)$/.exec(version ?? '')?.[1];
  if (version === undefined) return;
  const readable = FIRST_MAJOR.filter(([, first]) => first <= major).at(-1)?.[0] ?? 0;
  // What is newer than this table may well be read by a newer pg_restore: it says so itself.
  const newest = FIRST_MAJOR.at(-1);
  if (minor !== undefined && (Number(minor) <= readable || major > (newest?.[1] ?? 0) + 1)) return;
  const first = FIRST_MAJOR.find(([format]) => format === Number(minor))?.[1];
  const needs = first === undefined ? `${(newest?.[1] ?? 0) + 1} or newer` : `${first} or newer`;
  throw new Failure(
    `cannot import ${path}: the archive is of format ${version}; that needs the client programs of PostgreSQL ${needs}, and here are those of ${major}`,
    {
      remedy: `use an image with PostgreSQL ${needs}, install postgresql-client of that version, or dump as plain SQL (pg_dump -Fp)`,
    },
  );
}
