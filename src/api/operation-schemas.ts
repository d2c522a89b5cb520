/** JSON schemas of operations, and of what begins them. */
import { ROLES } from '../config/roles.ts';
import { BACKUP_KINDS, VERIFY_LEVELS } from '../protocol/backups.ts';
import type { ApiRoute, JsonSchema } from './route.ts';
import { list, object, strict, text, time, version, yes } from './schemas.ts';

const operation = object(
  {
    id: { type: 'string', format: 'uuid' },
    kind: { ...text, description: 'the command it is: `backup run`' },
    about: { ...text, description: 'a service, a backup' },
    state: { enum: ['running', 'done', 'failed', 'cancelled'] },
    actor: { ...text, description: 'who asked for it' },
    role: { enum: ROLES, description: 'the least that may begin it, and so end it' },
    startedAt: time,
    endedAt: time,
    progress: object({ what: text, percent: { type: 'number' }, detail: text }, ['what']),
    notes: list(text),
    result: { description: 'as the command prints it with --json' },
    failure: object({ code: text, detail: text, remedy: text }, ['code', 'detail']),
  },
  ['id', 'kind', 'state', 'actor', 'role', 'startedAt', 'notes'],
);
export const operationAnswer: JsonSchema = {
  allOf: [object({ schemaVersion: version }, ['schemaVersion']), operation],
};
export const operationList = object({ schemaVersion: version, operations: list(operation) }, [
  'schemaVersion',
  'operations',
]);

/** What every route answers that begins an operation. */
export const BEGUN: ApiRoute['answers'] = {
  200: { what: 'it is over already; `state` says how', schema: operationAnswer },
  202: { what: 'it goes on; `Location` is where it is seen', schema: operationAnswer },
  409: { what: 'refused' },
};

const name: JsonSchema = { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$' };
const timeout: JsonSchema = { ...text, description: 'how long to wait for it: 30s, 10m' };
const dryRun: JsonSchema = { ...yes, description: 'tell what it would do, change nothing' };
const level: JsonSchema = { enum: VERIFY_LEVELS, description: VERIFY_LEVELS.join(', ') };
const wait: JsonSchema = { ...yes, description: 'while another one runs, wait instead of refusing' };

export const serviceChange = strict({ timeout });
export const serviceRestart = strict({
  timeout,
  rolling: { ...yes, description: 'its replicas one after the other, each when the one before it is ready' },
  dependents: { ...yes, description: 'with all that depends on it; tasks among it run again' },
});
export const serviceScale: JsonSchema = {
  ...strict({
    replicas: { type: 'integer', minimum: 0, maximum: 1000, description: 'so many' },
    timeout,
  }),
  required: ['replicas'],
};
export const reloadWish = strict({ dryRun });

const RUNS = ['daily', 'base', 'assets', 'config'];
export const backupRun: JsonSchema = {
  ...strict({
    what: { enum: RUNS, description: RUNS.join(', ') },
    level: { ...level, description: `how deeply it is verified: ${VERIFY_LEVELS.join(', ')}` },
    full: { ...yes, description: 'read every asset, also those that seem unchanged' },
    wait,
  }),
  required: ['what'],
};
export const backupVerify = strict({
  backups: {
    ...list(name),
    minItems: 1,
    maxItems: 100,
    description: 'these; without them the newest of the database',
  },
  all: { ...yes, description: 'every backup there is' },
  level,
  wait,
});
export const backupPrune = strict({ dryRun });
export const backupQuery = strict({
  kind: { enum: BACKUP_KINDS, description: `only ${BACKUP_KINDS.join(', ')}` },
  offsite: { ...yes, description: 'the copies in the store of backups.offsite instead' },
});
export const backupRestore = strict({
  backup: { ...name, description: 'its id, or `latest`' },
  toTime: { ...text, description: 'instead of a backup, a moment: 2026-11-21T08:15:00Z, or 10m' },
  toLatest: { const: true, description: 'instead of a backup, the end of what is archived' },
  fromOffsite: { ...yes, description: 'of the copies offsite: fetched, checked, restored' },
  kind: { enum: ['database', 'assets', 'config'], description: 'of which kind `latest` is meant (database)' },
  replace: { ...yes, description: 'put it in the place of what is there, which is kept' },
  dryRun,
  confirm: {
    ...text,
    description: 'the same as `backup` or `toTime`, or `latest` with toLatest; only a dry run needs none',
  },
  timeout,
});
export const databaseImport: JsonSchema = {
  ...strict({
    file: { ...name, description: 'the name of a file in the folder import of the volume' },
    replace: { ...yes, description: 'put it in the place of what is there, which is kept' },
    confirm: { ...text, description: 'with `replace`: the same as `file`' },
  }),
  required: ['file'],
};
export const databaseUpgrade = strict({
  to: { type: 'integer', minimum: 10, maximum: 99, description: 'which major (the newest there is)' },
  withoutBackup: { ...yes, description: 'also where there is no verified backup of the last day' },
  dryRun,
  confirm: { ...text, description: '`upgrade`; only a dry run needs none' },
  timeout,
});
export const databaseRollback = strict({
  name: { ...name, description: 'which cluster or database (the one used last)' },
  forget: { ...yes, description: 'delete what is kept under the name, instead of bringing it back' },
  dryRun,
  confirm: {
    ...text,
    description: 'the same as `name`, or `rollback` without one; only a dry run needs none',
  },
  timeout,
});
