/** What `bulkhead doctor` says of a volume's database, from its files alone. Nothing is changed, locked or started. */
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { type Cluster, findCluster } from '../postgres/find-cluster.ts';
import { findFormerData } from '../postgres/former-data.ts';
import { readIdentity } from '../postgres/identity.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { readControlFile } from '../postgres/pg-control.ts';
import { STAGE } from '../postgres/stages.ts';
import type { Finding } from '../protocol/finding.ts';
import { viewLock } from '../system/lock.ts';
import { refuseReadOnly } from './guards.ts';
import { readUncleanStops } from './unclean-stops.ts';

/** @param isRunning whether its supervisor runs: then a lock file of the server is no leftover */
export function examineData(dataDir: string, runDir: string, isRunning: boolean): Finding[] {
  const layout = layoutOf(dataDir, runDir);
  if (!existsSync(layout.dataDir)) return [];
  try {
    if (existsSync(layout.pg)) readdirSync(layout.pg);
  } catch (error) {
    const remedy = 'run doctor as root, or as the user of the database';
    return [finding('cluster', 'warn', `cannot look into ${layout.pg}: ${messageOf(error)}`, remedy)];
  }
  const found: { cluster?: Cluster | undefined } = {};
  return [
    ...attempt('mounts', () => {
      refuseReadOnly(layout);
      return [];
    }),
    ...examineHolder(layout, isRunning),
    ...attempt('identity', () => examineIdentity(layout)),
    ...attempt('cluster', () => {
      found.cluster = findCluster(layout);
      return found.cluster === undefined ? examineAbsence(layout) : examineCluster(layout, found.cluster);
    }),
    ...attempt('cluster', () => (found.cluster === undefined ? [] : examineLock(found.cluster, isRunning))),
    ...examineStages(layout, isRunning),
    ...attempt('stops', () => examineStops(layout)),
    ...examineSecrets(layout),
  ];
}

/** Of the folder of clusters, which may be shared where the rest of the volume is not. */
function examineHolder({ pg }: Layout, isRunning: boolean): Finding[] {
  const held = viewLock(join(pg, 'lock'));
  if (held === undefined) return [];
  const who = held.pid === undefined ? 'somebody' : `pid ${held.pid}`;
  if (isRunning) return [finding('lock', 'ok', `${pg} is in use by ${who} since ${held.since}`)];
  return [
    finding(
      'lock',
      'warn',
      `${pg} is in use by another supervisor, ${who} where it runs, since ${held.since}`,
      'ask that one, inside of its container (docker exec), or stop it; nobody else can start meanwhile',
    ),
  ];
}

function examineIdentity(layout: Layout): Finding[] {
  const identity = readIdentity(layout.identity);
  if (identity === undefined) return [];
  const { installId, createdAt, mode, pgMajor } = identity;
  const what = mode === 'external' ? 'its database is elsewhere' : `PostgreSQL ${pgMajor ?? '(none yet)'}`;
  return [finding('identity', 'ok', `volume ${installId}, since ${createdAt}, ${what}`)];
}

/** Each thing that vetoes a new cluster, with what to do about it. */
function examineAbsence(layout: Layout): Finding[] {
  if (readIdentity(layout.identity)?.mode === 'external') return [];
  const former = findFormerData(layout);
  if (former.length === 0) return [finding('cluster', 'ok', 'there is none yet: the first start makes one')];
  return former.map(({ fact, remedy }) =>
    finding('cluster', 'fail', `there is none, and none will be made: ${fact}`, remedy),
  );
}

function examineCluster(layout: Layout, { major, folder }: Cluster): Finding[] {
  const { state, systemIdentifier } = readControlFile(folder);
  const { uid, mode } = statSync(folder);
  const known = attempt('identity', () => {
    const identity = readIdentity(layout.identity);
    if (identity === undefined || identity.systemIdentifier === systemIdentifier) return [];
    return [
      finding(
        'identity',
        'warn',
        `the cluster is ${systemIdentifier}, and the volume was known by ${identity.systemIdentifier}`,
        'check that the right folder is mounted; the next start takes this one for its own',
      ),
    ];
  });
  const binaries = attempt('cluster', () => {
    findBinaries({ major, libraryDir: join(layout.sockets, 'lib') });
    return [];
  });
  const open =
    (mode & 0o027) === 0
      ? []
      : [
          finding(
            'cluster',
            'warn',
            `${folder} is open to others`,
            'nothing to do: the next start closes it',
          ),
        ];
  const target = `${major}/main`;
  const pointer =
    readPointer(layout) === target
      ? []
      : [
          finding(
            'pointer',
            'warn',
            `${layout.current} does not point to ${target}`,
            'nothing to do: the next start mends it',
          ),
        ];
  return [
    finding('cluster', 'ok', `PostgreSQL ${major} in ${folder}, whole, ${state}, of uid ${uid}`),
    ...known,
    ...binaries,
    ...open,
    ...pointer,
  ];
}

function examineLock({ folder }: Cluster, isRunning: boolean): Finding[] {
  if (isRunning || !existsSync(join(folder, 'postmaster.pid'))) return [];
  return [
    finding(
      'cluster',
      'warn',
      `${join(folder, 'postmaster.pid')} was left by a server that was killed`,
      'nothing to do: the next start looks whether that server lives, and recovers',
    ),
  ];
}

function examineStages({ pg }: Layout, isRunning: boolean): Finding[] {
  const stages = (existsSync(pg) ? readdirSync(pg) : []).filter((name) => name.startsWith(STAGE));
  if (isRunning || stages.length === 0) return [];
  const fact = `${stages.join(', ')} in ${pg} ${stages.length === 1 ? 'is' : 'are'} unfinished`;
  return [
    finding('stages', 'warn', fact, 'nothing to do: the next start finishes or sweeps what is left over'),
  ];
}

function examineStops(layout: Layout): Finding[] {
  const { count, lastAt } = readUncleanStops(layout);
  if (count === 0) return [];
  return [
    finding(
      'stops',
      'warn',
      `${count} unclean stop${count === 1 ? '' : 's'}, the last seen at ${lastAt ?? 'an unknown time'}`,
      'give the container time to stop: docker stop --timeout 30, or stop_grace_period in Compose',
    ),
  ];
}

function examineSecrets({ secrets }: Layout): Finding[] {
  let names: string[];
  try {
    names = readdirSync(secrets);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    return [
      finding('secrets', 'warn', `cannot look into ${secrets}: ${messageOf(error)}`, 'run doctor as root'),
    ];
  }
  const open = ['.', ...names].filter((name) => {
    const mode = statSync(join(secrets, name), { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & 0o077) !== 0;
  });
  if (open.length === 0) return [finding('secrets', 'ok', `${names.length} secrets, closed to others`)];
  const paths = open.map((name) => join(secrets, name)).join(' ');
  return [finding('secrets', 'warn', `open to others: ${paths}`, `chmod go= ${paths}`)];
}

function readPointer({ current }: Layout): string | undefined {
  try {
    return readlinkSync(current);
  } catch {
    return undefined;
  }
}

/** What would refuse a start is a finding here. */
function attempt(check: string, look: () => Finding[]): Finding[] {
  try {
    return look();
  } catch (error) {
    const remedy = error instanceof Failure ? error.remedy : undefined;
    return [finding(check, 'fail', messageOf(error), remedy)];
  }
}

function finding(check: string, level: Finding['level'], fact: string, remedy?: string): Finding {
  return { check, level, fact, ...(remedy !== undefined && { remedy }) };
}
