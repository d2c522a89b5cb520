/** The routes about the database. */
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { begin, commandWork, readTimeout, requireConfirm, textOf } from './begin.ts';
import {
  BEGUN,
  databaseImport,
  databaseRollback,
  databaseUpgrade,
  serviceChange,
} from './operation-schemas.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';
import { object, version } from './schemas.ts';
import { controlWork } from './service-routes.ts';

const confirmed = { ...BEGUN, 400: { what: 'confirm-needed, or the wrong shape' } };

export const DATABASE_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/database',
    group: 'database',
    role: 'viewer',
    summary: 'the database: version, size, connections, what was imported, what is kept of before',
    answers: {
      200: {
        what: 'as `db status --json`',
        schema: object({ schemaVersion: version, database: { type: 'object' } }, [
          'schemaVersion',
          'database',
        ]),
      },
    },
    run: async ({ caller }, { readings }) => {
      const [database] = await readings.read(caller, 'database-status');
      return { status: 200, body: { schemaVersion: SCHEMA_VERSION, database } };
    },
  },
  {
    method: 'POST',
    path: '/database/import',
    group: 'database',
    role: 'admin',
    summary: 'import a dump that lies in the folder import of the volume',
    body: databaseImport,
    answers: confirmed,
    run: (asked, served) => {
      const { file } = asked.body;
      const replace = asked.body.replace === true;
      if (replace) requireConfirm(asked.body, String(file));
      const given = { words: [String(file)], options: { replace, yes: replace } };
      return begin(commandWork({ kind: 'db import', about: String(file) }, given, served), asked, served);
    },
  },
  {
    method: 'POST',
    path: '/database/migrate',
    group: 'database',
    role: 'operator',
    summary: 'run the migrations again',
    body: serviceChange,
    answers: { ...BEGUN, 404: { what: 'unknown-service: the plan has no migrations' } },
    run: (asked, served) => {
      const body = { names: ['migrate'], wait: true, timeout: readTimeout(asked.body) ?? USUAL_TIMEOUT };
      return begin(controlWork('db migrate', 'migrate', '/v1/services/restart', body, served), asked, served);
    },
  },
  {
    method: 'POST',
    path: '/database/upgrade',
    group: 'database',
    role: 'admin',
    summary: 'move the cluster to a newer major of PostgreSQL that this image has; the old one is kept',
    body: databaseUpgrade,
    answers: confirmed,
    run: upgrade,
  },
  {
    method: 'POST',
    path: '/database/rollback',
    group: 'database',
    role: 'admin',
    summary: 'bring back the cluster or database that was in use before an upgrade, a restore or an import',
    body: databaseRollback,
    answers: { ...confirmed, 404: { what: 'unknown-name' } },
    run: rollback,
  },
];

/** As of `bulkhead db migrate`. */
const USUAL_TIMEOUT = 120_000;

function upgrade(asked: Asked, served: Served): Promise<Answer> {
  const { to, withoutBackup } = asked.body;
  requireConfirm(asked.body, 'upgrade');
  const options = {
    ...consentOf(asked.body),
    to: to === undefined ? undefined : String(to),
    'yes-without-backup': withoutBackup === true,
  };
  return begin(commandWork({ kind: 'db upgrade' }, { options }, served), asked, served);
}

function rollback(asked: Asked, served: Served): Promise<Answer> {
  const name = textOf(asked.body.name);
  requireConfirm(asked.body, name ?? 'rollback');
  const given = {
    words: name === undefined ? [] : [name],
    options: { ...consentOf(asked.body), forget: asked.body.forget === true },
  };
  const about = name === undefined ? {} : { about: name };
  return begin(commandWork({ kind: 'db rollback', ...about }, given, served), asked, served);
}

function consentOf(body: Asked['body']): Record<string, string | boolean> {
  const timeout = readTimeout(body);
  return {
    ...(body.dryRun === true ? { 'dry-run': true } : { yes: true }),
    ...(timeout === undefined ? {} : { timeout: `${timeout}ms` }),
  };
}
