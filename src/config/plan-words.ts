/** The words at the top of a plan, and those of `database`. */
import { alerts } from './alert-words.ts';
import { api, metrics } from './api-words.ts';
import { backups } from './backup-words.ts';
import { commandWords } from './command-words.ts';
import { planForeign } from './foreign-words.ts';
import { job } from './job-words.ts';
import { logs } from './log-words.ts';
import { queue } from './queue-words.ts';
import {
  absolutePath,
  addresses,
  databaseName,
  duration,
  flag,
  integer,
  oneOf,
  path,
  systemUser,
} from './scalars.ts';
import { schedule } from './schedule-words.ts';
import { SERVICE_NAME, service } from './service-words.ts';
import { type JsonSchema, knownText, listOf, mapOf, parsed, type Shape, text } from './shape.ts';
import { type Stanza, stanza } from './words.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const LOG_FORMATS = ['text', 'json', 'ecs', 'otel'] as const;

const port = integer(1, 65_535);

const migrateWords = {
  ...commandWords,
  timeout: { shape: duration, doc: 'How long it may take. Default: no limit.' },
  retries: {
    shape: integer(0, 1000),
    doc: 'How often it is tried again before the boot has failed.',
    default: 0,
  },
  safety_dump: {
    shape: flag,
    doc: 'Dump the database before a migration that is another one than at the last start: its command, its files, or Bulkhead itself.',
    default: true,
  },
} as const;

const migrate = stanza(migrateWords, {
  required: ['command'],
  refused: { depends_on: 'it runs after the import and before every service, always' },
  aliases: {
    start_timeout: '`timeout`',
    cmd: '`command`',
    cwd: '`working_dir`',
    env: '`environment`',
    backup: '`safety_dump`',
  },
});

const settings = mapOf(text, {
  key: { pattern: /^[a-z_][a-z0-9_.]*$/i, wanted: 'a setting of postgresql.conf' },
});

const extensionName = parsed(
  'the name of an extension',
  (name) => (/^[a-z0-9_][a-z0-9_-]{0,62}$/i.test(name) ? name : undefined),
  { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$|\\$' },
);

const databaseWords = {
  name: { shape: databaseName, doc: 'The database of the application. Default: the name of the plan.' },
  user: { shape: databaseName, doc: 'The role of the application, which owns it. Default: its name.' },
  password: {
    shape: text,
    doc: 'Better left out: one is generated into /data/secrets, or DATABASE_URL gives it.',
  },
  port: {
    shape: port,
    doc: 'On the loopback, and where listen says. BULKHEAD_DB_PORT and DATABASE_URL beat it.',
    default: 5432,
  },
  listen: {
    shape: addresses,
    doc: 'Addresses the server listens on besides the loopback, by comma; *: all. By those only the role of the application is let in, to its database, with its password (SCRAM, not encrypted). Empty: none. For development.',
    examples: ['*', '10.0.0.5'],
  },
  system_user: {
    shape: systemUser,
    doc: 'The system user PostgreSQL runs as, when Bulkhead is root.',
    default: 'postgres',
  },
  mode: {
    shape: oneOf('embedded', 'external'),
    doc: 'Where the data lives: in this volume, or at the host of DATABASE_URL. Default: what DATABASE_URL says; said here or by BULKHEAD_DATABASE_MODE, a volume may change from one to the other.',
  },
  import: {
    shape: stanza(
      {
        from: {
          shape: absolutePath,
          doc: 'A dump to import on first boot, besides what lies in /data/import.',
        },
        mode: {
          shape: oneOf('once', 'replace'),
          doc: 'once: a different dump at a later boot is a warning. replace: it takes the place of the database, which is kept under another name; the same dump never twice.',
          default: 'once',
        },
        trusted: {
          shape: flag,
          doc: 'What in the dump needs a superuser runs as one, and the log names it. Only for dumps you trust like code.',
          default: false,
        },
        trust_incomplete: {
          shape: flag,
          doc: 'Also SQL that pg_dump did not write, where nothing tells whether it is whole.',
          default: false,
        },
      },
      { aliases: { path: '`from`', file: '`from`', trustIncomplete: '`trust_incomplete`' } },
    ),
    doc: 'The one dump a new database starts from.',
  },
  sample: {
    shape: absolutePath,
    doc: 'The dump a new database of our own starts from where there is no other; never one elsewhere. Empty: none.',
  },
  init: {
    shape: listOf(path),
    doc: 'SQL files run once, in order, in a new and empty database.',
    examples: [['schema.sql']],
  },
  extensions: {
    shape: listOf(extensionName),
    doc: 'Extensions the superuser makes in the database beforehand, also those that an ordinary role may not.',
    examples: [['vector', 'pg_stat_statements']],
  },
  settings: {
    shape: settings,
    doc: 'Settings of postgresql.conf that beat the tuned ones.',
    examples: [{ work_mem: '16MB' }],
  },
  migrate: {
    shape: migrate,
    doc: 'A command run on every boot, after the import and before every service.',
    examples: [{ command: ['node', 'migrate.mjs'], working_dir: '/app' }],
  },
  stop_grace_period: {
    shape: duration,
    doc: 'How long a fast shutdown (SIGINT) may take before SIGQUIT. Default: 2 s less than the whole stop.',
  },
} as const;

export type DatabaseStanza = Stanza<typeof databaseWords>;
export type MigrateStanza = Stanza<typeof migrateWords>;

const database = stanza(databaseWords, {
  refused: {
    host: 'our own cluster listens on the loopback only; for another server set DATABASE_URL',
    url: 'set DATABASE_URL',
    version: 'PostgreSQL is the one of the image',
    image: 'PostgreSQL is the one of the image',
    depends_on: 'the database starts first',
  },
  aliases: {
    database: '`name`',
    dbname: '`name`',
    username: '`user`',
    owner: '`user`',
    migrations: '`migrate`',
    config: '`settings`',
    parameters: '`settings`',
    dump: '`import: { from: … }`',
    seed: '`sample`',
    init_sql: '`init`',
  },
});

const VERSION_SCHEMA: JsonSchema = { anyOf: [{ const: 1 }, { const: '1' }] };

const version: Shape<1> = {
  read(value, where, reading) {
    const written = knownText(value, where, 'the number 1', reading);
    if (written === '1') return 1;
    const number = Number(written);
    const newer = Number.isInteger(number) && number > 1;
    const compose = written !== undefined && /^\d\.\d$/.test(written);
    return reading.problems.error(
      value.place,
      'version',
      newer
        ? `this file is written for version ${written} of the plan; this Bulkhead reads version 1`
        : compose
          ? `version ${written} is Compose's; a plan of Bulkhead has version 1`
          : 'version must be 1',
      { suggestion: newer ? 'use a newer Bulkhead' : 'write version: 1' },
    );
  },
  schema: VERSION_SCHEMA,
};

const planName = parsed(
  'lower-case letters, digits, - and _',
  (name) => (/^[a-z0-9][a-z0-9_-]*$/.test(name) ? name : undefined),
  { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$|\\$' },
);

const planWords = {
  version: { shape: version, doc: 'Version of this format: 1.' },
  name: { shape: planName, doc: 'The name of the product.', default: 'bulkhead' },
  extends: {
    shape: path,
    doc: 'The file this one is laid over, by the override rules of Compose; it may extend another in turn.',
    examples: ['core.yaml'],
  },
  database: { shape: database, doc: 'PostgreSQL: becomes the runs cluster, database, setup and migrate.' },
  backups: {
    shape: backups,
    doc: 'What `bulkhead backup` keeps of the database, its files and its configuration.',
  },
  services: { shape: mapOf(service, { key: SERVICE_NAME }), doc: 'Services and tasks by name.' },
  jobs: {
    shape: mapOf(job, { key: SERVICE_NAME }),
    doc: 'What may be asked for through the queue: types of jobs by name. Each attempt is a process of its own, with its data as one line of JSON on descriptor 3 and on its standard input.',
    examples: [{ scrape: { command: ['node', 'scrape.js'], concurrency: 3, timeout: '5m' } }],
  },
  queue: { shape: queue, doc: 'Where jobs are kept, and how many run.' },
  api: { shape: api, doc: 'The HTTP API, on BULKHEAD_API_PORT.' },
  metrics: { shape: metrics, doc: 'What `/metrics` of the API tells Prometheus.' },
  alerts: {
    shape: alerts,
    doc: 'What is told when something is not well, and to whom; judged beside the API.',
  },
  schedules: {
    shape: mapOf(schedule, { key: SERVICE_NAME }),
    doc: 'What runs by the clock, each run a task of its own.',
    examples: [{ backup: { cron: '0 2 * * *', command: ['bulkhead', 'backup', 'run', 'daily'] } }],
  },
  stop_timeout: {
    shape: duration,
    doc: 'Total time of a stop, below what Docker or the pod allows. BULKHEAD_STOP_TIMEOUT beats it.',
    default: '9s',
  },
  log: {
    shape: stanza({
      level: { shape: oneOf(...LOG_LEVELS), doc: 'LOG_LEVEL beats it.', default: 'info' },
      format: {
        shape: oneOf(...LOG_FORMATS),
        doc: 'Of standard output: text for people, or a JSON record a line with the names of pino (json), of the Elastic Common Schema (ecs) or of OpenTelemetry (otel, OTLP as JSON). LOG_FORMAT beats it.',
        default: 'text',
      },
    }),
    doc: 'What Bulkhead says, and how lines are written to its output.',
  },
  logs: { shape: logs, doc: 'The files in /data/logs: how big, how many, how long.' },
  ports: {
    shape: stanza(
      {
        probes: { shape: port, doc: 'BULKHEAD_PORT beats it.', default: 9700 },
        api: { shape: port, doc: 'BULKHEAD_API_PORT beats it.', default: 9701 },
      },
      { aliases: { database: '`database: { port: … }`', health: '`probes`' } },
    ),
    doc: 'Ports of Bulkhead itself.',
  },
} as const;

export type PlanStanza = Stanza<typeof planWords>;

export const planShape = stanza(planWords, planForeign);
