import { describe, expect, test } from 'vitest';
import { planReload } from '../../src/supervisor/reload.ts';
import { planOf, readFrom, readText, SHIPPED, spotsOf } from './reading.ts';

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
const plan = (backups: string): string =>
  `version: 1\nname: shop\ndatabase: {}\n${backups === '' ? '' : `backups:\n${backups}\n`}`;

describe('backups', () => {
  test('a database brings them, with every default', () => {
    expect(planOf(readText(plan(''), { flags: { data: '/srv' } })).backups).toEqual({
      keep: { days: 30, weekly: 8, monthly: 6, verified: 3 },
      assets: ['/srv/assets'],
      config: ['/srv/config'],
      recipients: [],
      diskFloor: 1024 ** 3,
      pointInTime: false,
      offsite: undefined,
    });
  });

  test('BACKUP_RETENTION_DAYS sets the days of the shipped tiers', () => {
    const reading = readFrom(SHIPPED, { env: { BACKUP_RETENTION_DAYS: '7' } });
    expect(planOf(reading).backups?.keep.days).toBe(7);
    const wrong = readFrom(SHIPPED, { env: { BACKUP_RETENTION_DAYS: 'ever' } });
    expect(wrong.problems?.map(({ note }) => note)).toEqual([
      'it holds BACKUP_RETENTION_DAYS=ever from the environment',
    ]);
  });

  test('are off without a database, and a stanza of them is told', () => {
    const reading = readText(
      'version: 1\nservices: { a: { command: x } }\nbackups: { point_in_time: true }\n',
    );
    expect(planOf(reading).backups).toBeUndefined();
    expect(reading.warnings.map(({ code, line, column }) => `${code}@${line}:${column}`)).toEqual([
      'idle-word@3:1',
    ]);
  });

  test('a recipient with a slip in any letter is refused', () => {
    expect(planOf(readText(plan(`  recipients: [${RECIPIENT}]`))).backups?.recipients).toEqual([RECIPIENT]);
    for (let at = 4; at < RECIPIENT.length; at += 1) {
      const other = RECIPIENT[at] === 'q' ? 'p' : 'q';
      const slip = `${RECIPIENT.slice(0, at)}${other}${RECIPIENT.slice(at + 1)}`;
      expect(spotsOf(readText(plan(`  recipients: [${slip}]`)))).toEqual(['wrong-value@5:16']);
    }
  });

  test('the verified ones can never be none', () => {
    expect(spotsOf(readText(plan('  keep: { verified: 0 }')))).toEqual(['wrong-value@5:21']);
  });
});

describe('backups.offsite', () => {
  const text = plan(
    [
      '  offsite:',
      '    endpoint: https://s3.example.com',
      '    bucket: ${BUCKET:-}',
      '    access_key_id: ${S3_ACCESS_KEY_ID:-}',
      '    secret_access_key: ${S3_SECRET_ACCESS_KEY:-}',
    ].join('\n'),
  );

  test('an empty bucket leaves it off', () => {
    expect(planOf(readText(text)).backups?.offsite).toBeUndefined();
  });

  test('its secrets may come from files, and are never shown', () => {
    const reading = readText(text, {
      env: {
        BUCKET: 'copies',
        S3_ACCESS_KEY_ID: 'AKIA12345678',
        S3_SECRET_ACCESS_KEY_FILE: '/run/secrets/s3',
      },
      files: { '/run/secrets/s3': 'hunter2hunter2\n' },
    });
    expect(planOf(reading).backups?.offsite).toEqual({
      endpoint: 'https://s3.example.com',
      region: 'us-east-1',
      bucket: 'copies',
      prefix: 'shop',
      accessKeyId: 'AKIA12345678',
      secretAccessKey: 'hunter2hunter2',
      pathStyle: true,
    });
    if (!reading.plan) throw new Error('broken');
    expect([...reading.provenance.secrets]).toEqual(
      expect.arrayContaining(['AKIA12345678', 'hunter2hunter2']),
    );
  });

  test('a bucket without its keys is refused', () => {
    expect(spotsOf(readText(text, { env: { BUCKET: 'copies' } }))).toEqual(['missing-word@8:5']);
  });
});

describe('a reload', () => {
  const request = { flags: {}, env: {}, root: false, runDir: '/run', readFile: () => undefined };
  const before = planOf(readText(plan('')));
  const changes = (backups: string) => planReload(before, request, () => [], readText(plan(backups))).changes;

  test('takes over what every backup reads anew', () => {
    expect(changes('  keep: { days: 3 }')).toEqual([
      { service: 'backups', action: 'update', reason: 'backups.keep.days' },
    ]);
  });

  test('refuses what the server is started with', () => {
    expect(() => changes('  point_in_time: true')).toThrow(
      'backups.point_in_time cannot change while running',
    );
  });
});
