/** What of the tests needs PostgreSQL's client programs (pg_dump, pg_restore, psql), which the server npm brings has not. */
import { existsSync, readdirSync } from 'node:fs';

const DEBIAN = '/usr/lib/postgresql';

const NEED_THEM = [
  'test/backups/{run-backup,run-files,external-backup}.test.ts',
  'test/bundles/**/*.test.ts',
  'test/database/{access,cluster-dump,import,safety-dump}.test.ts',
  'test/dumps/{damaged-dumps,refused-dumps}.test.ts',
  'test/operations/{point-in-time,restore,upgrade}.test.ts',
  'test/scenarios/{external,from-offsite,migrations,wedged-archive}.test.ts',
];

/** Patterns of files to leave out here, which is said. */
export function filesWithoutTheirPrograms(): readonly string[] {
  const majors = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  if (majors.some((major) => existsSync(`${DEBIAN}/${major}/bin/pg_dump`))) return [];
  process.stderr.write(
    `left out, because ${DEBIAN} has no pg_dump (apt-get install postgresql brings it): ${NEED_THEM.join(', ')}\n`,
  );
  return NEED_THEM;
}
