import { describe, expect, test } from 'vitest';
import { planOf, readText, runOf } from './reading.ts';

const plan = 'version: 1\nservices: { app: { command: x, environment: [API_TOKEN, PLAIN] } }\n';
const withDatabase = `version: 1
name: tools-app
database:
services:
  app: { command: x, environment: { DATABASE_URL: "\${DATABASE_URL}" }, depends_on: [database] }
`;

describe('secrets from files', () => {
  const files = { '/run/secrets/t': 'from a file\n\n' };

  test('NAME_FILE gives NAME without its last newline', () => {
    const reading = readText(plan, { env: { API_TOKEN_FILE: '/run/secrets/t' }, files });
    expect(runOf(reading, 'app').environment).toEqual({ API_TOKEN: 'from a file\n' });
  });

  test('only names that sound secret are read from files: SSL_CERT_FILE and its like mean something else', () => {
    const reading = readText(plan, { env: { PLAIN_FILE: '/run/secrets/t' }, files });
    expect(runOf(reading, 'app').environment).toEqual({});
  });

  test('an empty NAME beside NAME_FILE counts as not given', () => {
    const reading = readText(plan, { env: { API_TOKEN: '', API_TOKEN_FILE: '/run/secrets/t' }, files });
    expect(runOf(reading, 'app').environment).toEqual({ API_TOKEN: 'from a file\n' });
  });

  test.each(['DATABASE_URL', 'API_TOKEN'])('case 18: %s and its _FILE at once are refused', (name) => {
    const env = { [name]: 'postgresql://me:hidden-value@localhost/db', [`${name}_FILE`]: '/run/secrets/t' };
    const { problems } = readText(name === 'DATABASE_URL' ? withDatabase : plan, { env, files });
    expect(problems).toMatchObject([
      { code: 'secret-given-twice', message: `both ${name} and ${name}_FILE are set` },
    ]);
    expect(JSON.stringify(problems)).not.toContain('hidden-value');
  });

  test('a token whose file is missing is told without a place in the plan', () => {
    const { problems } = readText(plan, { env: { BULKHEAD_TOKEN_FILE: '/gone' } });
    expect(problems).toMatchObject([{ code: 'secret-file', file: 'environment', line: 0 }]);
  });
});

describe('variables of the contract', () => {
  test('have their defaults', () => {
    expect(planOf(readText(plan))).toMatchObject({
      name: 'bulkhead',
      tier: 'core',
      dataDir: '/data',
      ports: { probes: 9700, api: 9701, database: 5432 },
      stopTimeout: 9000,
      log: { level: 'info', format: 'text' },
      token: undefined,
    });
  });

  test('beat the file, and flags beat them', () => {
    const text = `${plan}stop_timeout: 20s\nlog: { level: warn, format: json }\nports: { probes: 1, api: 2 }\n`;
    expect(planOf(readText(text))).toMatchObject({
      stopTimeout: 20_000,
      log: { level: 'warn', format: 'json' },
      ports: { probes: 1 },
    });
    const env = {
      BULKHEAD_DATA: '/var/x/',
      BULKHEAD_PORT: '8000',
      BULKHEAD_API_PORT: '8001',
      BULKHEAD_DB_PORT: '8002',
      BULKHEAD_STOP_TIMEOUT: '1m',
      BULKHEAD_TOKEN: 'open sesame',
      LOG_LEVEL: 'DEBUG',
      LOG_FORMAT: 'text',
    };
    expect(planOf(readText(text, { env }))).toMatchObject({
      dataDir: '/var/x',
      ports: { probes: 8000, api: 8001, database: 8002 },
      stopTimeout: 60_000,
      token: 'open sesame',
      log: { level: 'debug', format: 'text' },
    });
    expect(planOf(readText(text, { env, flags: { data: '/flag' } })).dataDir).toBe('/flag');
  });

  test('a file can name the data folder, whoever settled it', () => {
    const text = 'version: 1\nservices: { a: { command: ["ls", "${BULKHEAD_DATA}"] } }\n';
    const argv = (flags: { data?: string }, env = {}) => runOf(readText(text, { flags, env }), 'a').work;
    expect(argv({})).toMatchObject({ argv: ['ls', '/data'] });
    expect(argv({ data: '/flag' }, { BULKHEAD_DATA: '/env' })).toMatchObject({ argv: ['ls', '/flag'] });
  });

  test.each([
    ['BULKHEAD_PORT', 'abc'],
    ['BULKHEAD_PORT', '0'],
    ['BULKHEAD_API_PORT', '70000'],
    ['BULKHEAD_STOP_TIMEOUT', '9'],
    ['BULKHEAD_DATA', 'relative'],
    ['BULKHEAD_API_PORT', '9700'],
  ])('%s=%s is an error', (name, value) => {
    const { problems } = readText(plan, { env: { [name]: value } });
    expect(problems).toHaveLength(1);
    expect(problems?.[0]?.line).toBe(0);
  });

  test('what Kubernetes injects is passed over in silence', () => {
    const env = {
      BULKHEAD_PORT: 'tcp://10.0.0.7:9700',
      BULKHEAD_PORT_9700_TCP: 'tcp://10.0.0.7:9700',
      BULKHEAD_PORT_9700_TCP_ADDR: '10.0.0.7',
      BULKHEAD_PORT_9700_TCP_PORT: '9700',
      BULKHEAD_PORT_9700_TCP_PROTO: 'tcp',
      BULKHEAD_SERVICE_HOST: '10.0.0.7',
      BULKHEAD_SERVICE_PORT: '9700',
      BULKHEAD_SERVICE_PORT_HTTP: '9700',
      BULKHEAD_DB_PORT: 'tcp://10.0.0.8:5432',
    };
    const reading = readText(plan, { env });
    expect(planOf(reading).ports).toEqual({ probes: 9700, api: 9701, database: 5432 });
    expect(reading.warnings).toEqual([]);
  });

  test('an unknown BULKHEAD_* is a warning with a suggestion, unless the plan reads it', () => {
    const warned = readText(plan, { env: { BULKHEAD_TEIR: 'full' } }).warnings;
    expect(warned).toMatchObject([{ code: 'unknown-variable', suggestion: 'did you mean BULKHEAD_TIER?' }]);
    const used = 'version: 1\nservices: { a: { command: "x ${BULKHEAD_MINE}" } }\n';
    expect(readText(used, { env: { BULKHEAD_MINE: '1' } }).warnings).toEqual([]);
  });

  test('a TZ that nobody knows is told, and refuses nothing', () => {
    const warned = (TZ: string) => readText(plan, { env: { TZ } }).warnings.map(({ message }) => message);
    expect(warned('Europe/Berln')).toEqual([
      'TZ is no time zone that is known: "Europe/Berln"; schedules count in UTC',
    ]);
    expect(warned('Europe/Berlin')).toEqual([]);
  });

  test('a LOG_LEVEL of other programs is only a warning', () => {
    const reading = readText(plan, { env: { LOG_LEVEL: 'verbose' } });
    expect(planOf(reading).log.level).toBe('info');
    expect(reading.warnings).toMatchObject([{ code: 'wrong-value' }]);
    expect(planOf(readText(plan, { env: { ENABLE_VERBOSE_LOGS: 'true' } })).log.level).toBe('debug');
  });

  test('a variable that is not set reads as nothing, with a warning', () => {
    const reading = readText(
      'version: 1\nservices: { a: { command: "x", environment: { A: "<${NONE}>" } } }\n',
    );
    expect(runOf(reading, 'a').environment).toEqual({ A: '<>' });
    expect(reading.warnings).toMatchObject([{ code: 'variable-unset', line: 2 }]);
  });
});

describe('DATABASE_URL', () => {
  const read = (url?: string) =>
    readText(withDatabase, { env: url === undefined ? {} : { DATABASE_URL: url } });
  const hole = { parts: [{ late: 'DATABASE_URL' }] };

  test('unset, it is a hole and the plan names the database', () => {
    expect(planOf(read()).database).toMatchObject({
      name: 'tools_app',
      user: 'tools_app',
      password: undefined,
      port: 5432,
    });
    expect(runOf(read(), 'app').environment).toEqual({ DATABASE_URL: hole });
  });

  test.each([
    ['postgresql://me:p%40ss@localhost:5433/db', { name: 'db', user: 'me', password: 'p@ss', port: 5433 }],
    ['postgres://me:pw@127.0.0.1/db', { name: 'db', user: 'me', password: 'pw', port: 5432 }],
    ['postgres://me@[::1]:6000/db', { name: 'db', user: 'me', password: undefined, port: 6000 }],
    ['postgres:///db', { name: 'db', user: 'db' }],
    ['postgres://me:pw@/db?host=/run/pg', { name: 'db', user: 'me', password: 'pw' }],
    ['postgres://me:pw@%2Frun%2Fpg/db', { name: 'db', user: 'me', password: 'pw' }],
    ['postgres://localhost', { name: 'tools_app', user: 'tools_app' }],
  ])('%s is our own cluster and beats the plan', (url, wanted) => {
    expect(planOf(read(url)).database).toMatchObject(wanted);
  });

  test('a whole address is passed on as it is given, one with gaps is completed at start', () => {
    const whole = 'postgresql://me:pw@localhost:5432/db?schema=public';
    expect(runOf(read(whole), 'app').environment).toEqual({ DATABASE_URL: whole });
    const gaps = read('postgresql://localhost/db?schema=public');
    expect(runOf(gaps, 'app').environment).toEqual({ DATABASE_URL: hole });
    expect(planOf(gaps).database?.urlQuery).toBe('schema=public');
  });

  test.each([
    ['postgres://me:secret@10.0.0.1,localhost/x', 'wrong-value'],
    ['mysql://me:secret@localhost/x', 'wrong-value'],
    ['postgres://me:secret@localhost:port/x', 'wrong-value'],
    ['postgres://me:secret@localhost/a b', 'wrong-value'],
    ['postgres://postgres:secret@localhost/x', 'bad-name'],
  ])('%s is refused without telling the password', (url, code) => {
    const { problems = [] } = read(url);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  test('without a database in the plan it is a variable like any other', () => {
    const text = withDatabase.replace('database:\n', '').replace(', depends_on: [database]', '');
    const url = 'postgres://me:pw@db.example.com/x';
    expect(runOf(readText(text, { env: { DATABASE_URL: url } }), 'app').environment).toEqual({
      DATABASE_URL: url,
    });
    expect(readText(text).warnings).toMatchObject([{ code: 'variable-unset' }]);
  });

  test('its port beats BULKHEAD_DB_PORT, with a warning', () => {
    const reading = readText(withDatabase, {
      env: { DATABASE_URL: 'postgres://localhost:1111/x', BULKHEAD_DB_PORT: '2222' },
    });
    expect(planOf(reading).database?.port).toBe(1111);
    expect(reading.warnings).toMatchObject([{ code: 'two-ports' }]);
  });
});
