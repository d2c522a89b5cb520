/**
 * The cases in which databases inside images are lost, each as one sentence. A test proves a case by its title, which
 * begins with `case <number>: `; docs/behaviours.md is made from both. What no test of ours can hold in a minute is
 * proven by a script, named here.
 */

export interface DatabaseCase {
  readonly number: number;
  /** What holds, whatever happens. */
  readonly sentence: string;
  /** Images, operators and tools that fail it, with the thread, source or measurement that shows it. */
  readonly peers: string;
  /** Files besides the tests that show it, from the project's root. */
  readonly shownBy?: readonly string[];
  /** What of the case nothing here proves, and why: one line. */
  readonly argued?: string;
}

export const DATABASE_CASES: readonly DatabaseCase[] = [
  {
    number: 1,
    sentence:
      'PID 1 killed at any moment of a first boot: later boots come to one whole import, made exactly once.',
    peers: 'docker-library/postgres (#891, #927, #940; 16 of 30 kills not whole), Appsmith',
    shownBy: ['bench/kill-harness.ts', 'bench/kills.ts'],
  },
  {
    number: 2,
    sentence:
      'Half a cluster under the final name (PG_VERSION is there, most files are not) is refused with a diagnosis: no initdb, nothing deleted.',
    peers: 'docker-library/postgres and Appsmith (PG_VERSION counts as proof), pg0 (#6: deletes it)',
  },
  {
    number: 3,
    sentence:
      'Killed after the commit that renames the import in, before a word of it is logged: the next boot imports nothing.',
    peers: 'whoever touches a “done” file after psql has returned',
  },
  {
    number: 4,
    sentence:
      'Killed inside the transaction that renames the import in: the old state is whole, the scratch database gone.',
    peers: 'docker-library/postgres (#891), Immich (#27684)',
  },
  {
    number: 5,
    sentence:
      'A dump cut at the end of a COPY line, within one, or before its trailer is refused as truncated; the database is untouched.',
    peers:
      'psql -1 -v ON_ERROR_STOP=1 (exit 0, 400,000 of 1,000,000 rows), wepublish (#2957), docker-library/postgres',
  },
  {
    number: 6,
    sentence:
      'Half a gzip, zstd or custom archive, a directory without one of its files, a flipped bit where a manifest is: all refused.',
    peers: 'pg_restore -l accepts half a file; gunzip | psql under pipefail has committed by then',
  },
  {
    number: 7,
    sentence:
      'What a newer pg_dump writes is filtered, or refused in words; a meta-command of psql never runs a program.',
    peers: 'psql (CVE-2025-8714), databasement (#590), discourse (#41632), borgmatic (#413)',
  },
  {
    number: 8,
    sentence:
      'A dump of a whole cluster, with CREATE ROLE postgres in it, is imported with its roles and their password hashes.',
    peers: 'Immich (#10816, #11962, #16755), any image whose superuser is called postgres',
  },
  {
    number: 9,
    sentence:
      'The same dump at a later boot is nothing to do, a changed one a word and nothing more; nothing is imported twice.',
    peers: 'images that import whenever a file lies there; those that never look again',
  },
  {
    number: 10,
    sentence:
      'A volume that fills up during an import: the scratch is dropped, the server up, the reason told, a retry works.',
    peers: 'Immich (#29582), pgautoupgrade (#161), docker-library/postgres',
  },
  {
    number: 11,
    sentence:
      'A stale postmaster.pid that names a live thread, a zombie, garbage or nothing is started over; a live server of ours is stopped first.',
    peers:
      'pg0 (#6: data deleted), cagriekin/charts (#346), multigres (#723), patroni (#681, mended), stolon (#743)',
  },
  {
    number: 12,
    sentence:
      'Two supervisors on one volume, each PID 1 of its own namespace: the second ends 75 and touches nothing.',
    peers: 'PostgreSQL’s own lock file (blind across PID namespaces), timescaledb-docker-ha (#38)',
  },
  {
    number: 13,
    sentence:
      'A stop during initdb, import, migration, backup, or with an idle pool and a long query, is clean and within its time.',
    peers:
      'docker-library/postgres (#184, #714, #763, #1207), bitnami (#40519), streamystats (#551: unclean at every stop)',
  },
  {
    number: 14,
    sentence:
      'An archive_command that hangs does not hold up the stop: SIGQUIT in time, nothing is lost at the next start, the stop counted as unclean.',
    peers: 'PostgreSQL’s fast shutdown (23.8 s for two slow segments)',
  },
  {
    number: 15,
    sentence:
      'A killed postmaster: its orphans are awaited, zombies reaped, the server started again, the app reconnects; too often is giving up, the data kept.',
    peers: 'zalando/postgres-operator (#1725), patroni (#1733): endless restarts',
  },
  {
    number: 16,
    sentence:
      'A killed backend: the recovery after it is shown as what it is, and no check restarts the server for it.',
    peers: 'docker-library/postgres (#809), liveness checks of Kubernetes (cloudnative-pg#793)',
  },
  {
    number: 17,
    sentence: 'A recovery longer than the checks’ patience: alive, not ready, and no loop of kills.',
    peers: 'cloudnative-pg (#793; mended by PR#11152), compose files with pg_isready and ten retries',
  },
  {
    number: 18,
    sentence:
      'A changed password is given to the role and appears in no log; a variable and its _FILE at once are refused.',
    peers: 'docker-library/postgres (#723, #896), the FastAPI template (#344)',
  },
  {
    number: 19,
    sentence:
      'Data of a major this image cannot run is refused by both versions, a volume that had data gets no initdb, a change of mode must be told.',
    peers:
      'docker-library/postgres (#37, #1400), sourcebot (#768), docker-zulip (#123), hindsight (#1202), Budibase (#17857), pgautoupgrade (#275)',
  },
  {
    number: 20,
    sentence:
      'A major upgrade killed at any of its steps: the old or the new cluster is whole, the content equal, a retry gets through; flipping back works.',
    peers: 'pgautoupgrade (#42, #161, #275), Appsmith, GitLab Omnibus (#8247, #8499)',
  },
  {
    number: 21,
    sentence:
      'An archived segment with a flipped byte, a missing or a conflicting one: point-in-time recovery ends with an error and never promotes early.',
    peers: 'restore commands that end 1 (PostgreSQL promotes in silence), Spilo (retries without a target)',
  },
  {
    number: 22,
    sentence:
      'Recovery to a moment before a DROP has the table, leaves the live cluster alone until it is told, and its archive clean.',
    peers: 'cloudnative-pg (#4150), restores in place',
  },
  {
    number: 23,
    sentence:
      'A backup that is killed, or fails by a damaged page, a full disk or a dead store: no new one appears, the old stay, nothing is pruned, an alarm is set.',
    peers:
      'DBackup (#154), db-backup (#366), backup-container (#137), charts (#159): a failed dump is a success',
  },
  {
    number: 24,
    sentence:
      'A clock that jumps, forty days of failing backups, names that begin alike, foreign objects: retention never removes the last verified ones, nor anything foreign.',
    peers: 'postgres-backup-s3 (#3), backup-local (prunes by glob), mailcow (#4559), rsnapshot (#33)',
  },
  {
    number: 25,
    sentence:
      'Where the order of text has changed under the data, its indexes are rebuilt before the app starts, then the new version is noted; the next boot is quiet.',
    peers:
      'docker-library/postgres (#1356), langflow (#9608: only REFRESH), zulip (#18847: search broken), ente (#10024)',
  },
];
