/** The routes about backups. */
import { begin, commandWork, readTimeout, requireConfirm, textOf } from './begin.ts';
import { keptWork } from './kept-operations.ts';
import {
  BEGUN,
  backupPrune,
  backupQuery,
  backupRestore,
  backupRun,
  backupVerify,
} from './operation-schemas.ts';
import { Problem } from './problem.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';
import { commandInput } from './run-program.ts';
import { nothing, object, version } from './schemas.ts';

const backupList = object({ schemaVersion: version }, ['schemaVersion']);
const answers = { ...BEGUN, 404: { what: 'unknown-name: no such backup' } };

export const BACKUP_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/backups',
    group: 'backups',
    role: 'viewer',
    summary: 'the backups, newest first, and to which moments one can go back',
    query: backupQuery,
    answers: { 200: { what: 'as `backup list --json`', schema: backupList } },
    run: async ({ query, caller }, { readings }) => {
      const options = { kind: textOf(query.kind), offsite: query.offsite === true };
      const [list] = await readings.read(caller, 'command', commandInput('backup list', { options }));
      return { status: 200, body: list as object };
    },
  },
  {
    method: 'POST',
    path: '/backups',
    group: 'backups',
    role: 'operator',
    summary: 'make a backup, verify it, copy it offsite, remove those that no rule keeps',
    body: backupRun,
    answers: BEGUN,
    run: (asked, served) => {
      const { what, level, full, wait } = asked.body;
      const input = {
        what: String(what),
        ...(typeof level === 'string' ? { level } : {}),
        ...(full === true ? { full: 'yes' } : {}),
        ...(wait === true ? { wait: 'yes' } : {}),
      };
      return begin(
        keptWork({ kind: 'backup run', about: String(what) }, 'backup', input, served.operate),
        asked,
        served,
      );
    },
  },
  {
    method: 'POST',
    path: '/backups/verify',
    group: 'backups',
    role: 'operator',
    summary: 'show that backups are good, up to restoring them',
    body: backupVerify,
    answers,
    run: verify,
  },
  {
    method: 'POST',
    path: '/backups/prune',
    group: 'backups',
    role: 'operator',
    summary: 'remove the backups that no rule of backups.keep keeps',
    body: backupPrune,
    answers: BEGUN,
    run: (asked, served) => {
      const input: Record<string, string> = asked.body.dryRun === true ? { dryRun: 'yes' } : {};
      return begin(keptWork({ kind: 'backup prune' }, 'prune-backups', input, served.operate), asked, served);
    },
  },
  {
    method: 'POST',
    path: '/backups/restore',
    group: 'backups',
    role: 'admin',
    summary: 'put a backup, or the state of a moment, in its place; what was there is kept',
    body: backupRestore,
    answers: { ...answers, 400: { what: 'confirm-needed, or the wrong shape' } },
    run: restore,
  },
  {
    method: 'POST',
    path: '/backups/:id/pin',
    group: 'backups',
    role: 'operator',
    summary: 'never remove this backup',
    body: nothing,
    answers,
    run: (asked, served) => pin('backup pin', asked, served),
  },
  {
    method: 'POST',
    path: '/backups/:id/unpin',
    group: 'backups',
    role: 'operator',
    summary: 'let the rules decide about it again',
    body: nothing,
    answers,
    run: (asked, served) => pin('backup unpin', asked, served),
  },
  {
    method: 'POST',
    path: '/backups/:id/fetch',
    group: 'backups',
    role: 'operator',
    summary: 'bring a copy back from offsite, checked',
    body: nothing,
    answers,
    run: (asked, served) => {
      const id = idOf(asked);
      return begin(
        keptWork({ kind: 'backup fetch', about: id }, 'fetch-backup', { id }, served.operate),
        asked,
        served,
      );
    },
  },
];

function verify(asked: Asked, served: Served): Promise<Answer> {
  const { backups, all, level, wait } = asked.body;
  if (all === true && backups !== undefined)
    throw new Problem(400, 'bad-request', '`all` and `backups` exclude each other');
  const ids = Array.isArray(backups) ? backups.join(',') : undefined;
  const input = {
    ...(all === true ? { all: 'yes' } : {}),
    ...(ids === undefined ? {} : { ids }),
    ...(typeof level === 'string' ? { level } : {}),
    ...(wait === true ? { wait: 'yes' } : {}),
  };
  const about = all === true ? 'all' : (ids ?? 'latest');
  return begin(
    keptWork({ kind: 'backup verify', about }, 'verify-backups', input, served.operate),
    asked,
    served,
  );
}

function pin(kind: string, asked: Asked, served: Served): Promise<Answer> {
  const id = idOf(asked);
  const input = { id, ...(kind === 'backup unpin' ? { unpin: 'yes' } : {}) };
  return begin(keptWork({ kind, about: id }, 'pin-backup', input, served.operate), asked, served);
}

const ID = /^[A-Za-z0-9_][\w.-]{0,199}$/;

function idOf({ params: { id = '' } }: Asked): string {
  if (ID.test(id)) return id;
  throw new Problem(404, 'unknown-name', 'there is no such backup', { remedy: 'see: GET /backups' });
}

function restore(asked: Asked, served: Served): Promise<Answer> {
  const { backup, toTime, toLatest, fromOffsite, kind, replace, dryRun } = asked.body;
  const wishes = [textOf(backup), textOf(toTime), toLatest === true ? 'latest' : undefined];
  const [what, ...others] = wishes.filter((wish) => wish !== undefined);
  if (what === undefined || others.length > 0) {
    throw new Problem(400, 'bad-request', 'name one of `backup`, `toTime` and `toLatest`');
  }
  requireConfirm(asked.body, what);
  const timeout = readTimeout(asked.body);
  const options = {
    'to-time': textOf(toTime),
    'to-latest': toLatest === true,
    'from-offsite': fromOffsite === true,
    kind: kind === 'database' ? undefined : textOf(kind),
    replace: replace === true,
    ...(dryRun === true ? { 'dry-run': true } : { yes: true }),
    ...(timeout === undefined ? {} : { timeout: `${timeout}ms` }),
  };
  const words = textOf(backup) === undefined ? [] : [what];
  return begin(
    commandWork({ kind: 'backup restore', about: what }, { words, options }, served),
    asked,
    served,
  );
}
