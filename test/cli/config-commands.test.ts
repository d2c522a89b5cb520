import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PsqlOptions } from '../../src/cli/command.ts';
import { type TypingOptions, type } from '../support/command-line.ts';
import { fakeTarget, openControl } from '../support/control-target.ts';
import { exampleProduct } from '../support/product.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bh-'));
  write(
    'core.yaml',
    'version: 1\nname: shop\nservices:\n  app:\n    command: [node, app.js]\n    environment: { API_TOKEN: $API_TOKEN }\n    user: nobody\n',
  );
  write(
    'scraper.yaml',
    'version: 1\nextends: core.yaml\nservices:\n  worker:\n    command: [node, worker.js]\n',
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function typed(line: string, options?: TypingOptions) {
  return type([...line.split(' '), ...(line.includes('--config') ? [] : ['--config', folder])], options);
}

describe('config check', () => {
  test('says what a good plan is', async () => {
    expect(await typed('config check', { env: { API_TOKEN: 'sesame-open' } })).toMatchObject({
      code: 0,
      out: 'ok: shop, tier core, 1 run\n',
    });
    expect(await typed('config check -q', { env: { API_TOKEN: 'sesame-open' } })).toMatchObject({
      code: 0,
      out: '',
    });
  });

  test('finds a relative path from the working folder', async () => {
    expect(
      await typed('config check --config core.yaml -q', { cwd: folder, env: { API_TOKEN: 'x' } }),
    ).toMatchObject({
      code: 0,
    });
  });

  test('ends 6 with every problem, its line and its fix', async () => {
    write('core.yaml', 'version: 1\nservices:\n  app:\n    comand: [node]\n    restart: allways\n');
    const { code, out } = await typed('config check');
    expect(code).toBe(6);
    expect(out).toContain('core.yaml:4:5');
    expect(out).toContain('did you mean "command"?');
    expect(out).toContain('allways');
  });

  test('ends 6 in JSON too', async () => {
    write('core.yaml', 'version: 1\nservices:\n  app:\n    comand: [node]\n');
    const { code, out } = await typed('config check --json');
    expect(code).toBe(6);
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ line: 4, column: 5 })]),
    });
  });
});

describe('config show', () => {
  test('prints the plan with its origins, never a secret', async () => {
    const { code, out } = await typed('config show', { env: { API_TOKEN: 'sesame-open' } });
    expect(code).toBe(0);
    expect(out).toContain('core.yaml:');
    expect(out).not.toContain('sesame-open');
    const json = await typed('config show --json', { env: { API_TOKEN: 'sesame-open' } });
    expect(json.out).not.toContain('sesame-open');
    expect(JSON.parse(json.out)).toMatchObject({ schemaVersion: 1, name: 'shop', tier: 'core' });
  });

  test('of a broken plan ends 6 with the problems as the error', async () => {
    write('core.yaml', 'version: 1\nservices:\n  app:\n    comand: [node]\n');
    const { code, out, err } = await typed('config show');
    expect({ code, out }).toEqual({ code: 6, out: '' });
    expect(err).toContain('core.yaml:4:5');
  });
});

describe('config diff', () => {
  test('says what one tier has more', async () => {
    const options = { env: { API_TOKEN: 'x-token' } };
    expect((await typed('config diff core scraper', options)).out).toContain('+ worker');
    expect(JSON.parse((await typed('config diff core scraper --json', options)).out)).toMatchObject({
      schemaVersion: 1,
      runs: [{ name: 'worker', kind: 'added' }],
    });
  });
});

describe('config schema', () => {
  test('is a JSON Schema', async () => {
    const { code, out } = await type(['config', 'schema']);
    expect(code).toBe(0);
    expect(JSON.parse(out).$schema).toBe('http://json-schema.org/draft-07/schema#');
  });
});

describe('doctor', () => {
  const doors = { postgres: async () => ({ bin: '/usr/lib/postgresql/17/bin', major: 17, embedded: false }) };
  const args = () => [
    'doctor',
    '--config',
    folder,
    '--data',
    join(folder, 'data'),
    '--socket',
    join(folder, 'none.sock'),
  ];
  const env = { API_TOKEN: 'x-token', BULKHEAD_PORT: '0', PATH: '' };

  test('works without a supervisor and says how each thing stands', async () => {
    const { code, out } = await type([...args(), '--json'], {
      doors,
      env: { ...env, BULKHEAD_PORT: '65111' },
    });
    const { findings } = JSON.parse(out);
    const checks = findings.map(({ check }: { check: string }) => check);
    expect(checks).toEqual(
      expect.arrayContaining([
        'supervisor',
        'config',
        'volume',
        'disk',
        'isolation',
        'shm',
        'postgres',
        'ports',
      ]),
    );
    expect(code).toBe(findings.some(({ level }: { level: string }) => level === 'fail') ? 1 : 0);
  });

  test('believes the supervisor that runs, and not itself, about whom it runs as', async () => {
    const target = fakeTarget();
    target.setProduct(exampleProduct({ notes: ['all run as one user'] }));
    await using control = await openControl(target);
    const { out } = await type(['doctor', '--config', folder, '--socket', control.path, '--json'], {
      doors,
      env,
    });
    const { findings } = JSON.parse(out);
    expect(findings).toContainEqual({ check: 'note', level: 'warn', fact: 'all run as one user' });
    expect(findings.some(({ check }: { check: string }) => check === 'isolation')).toBe(false);
  });

  test('warns of no mount but where the image keeps its data', async () => {
    const checks = async (data: string) => {
      const argv = ['doctor', '--config', folder, '--data', data, '--socket', '/none.sock', '--json'];
      const { out } = await type(argv, { doors, env });
      return JSON.parse(out).findings.map(({ check }: { check: string }) => check);
    };
    expect(await checks('/data')).toContain('mount');
    expect(await checks(folder)).not.toContain('mount');
  });

  test('gives every finding that is not well a fix', async () => {
    write('core.yaml', 'version: 1\nservices:\n  app:\n    comand: [node]\n');
    const { code, out } = await type(args(), { doors, env });
    expect(code).toBe(1);
    expect(out).toMatch(/✖ config {5}\d+ errors?.*\n +fix: see all of them: bulkhead config check/);
    const lines = out.split('\n');
    for (const [index, line] of lines.entries()) {
      if (/^[▲✖]/.test(line)) expect(lines[index + 1]).toMatch(/^ +fix: /);
    }
  });
});

describe('db psql', () => {
  test('becomes what the database room says, with the arguments behind --, and ends as it does', async () => {
    write('core.yaml', 'version: 1\nname: shop\ndatabase: { name: shop, user: shop }\n');
    const seen: unknown[] = [];
    const doors = {
      psql: async ({ dataDir, database, args }: PsqlOptions) => {
        seen.push({ dataDir, name: database.name, args });
        return {
          argv: ['sh', '-c', 'test "$PGPASSWORD" = hush && exit 3'],
          env: { PGPASSWORD: 'hush' },
        };
      },
    };
    const argv = ['db', 'psql', '--config', folder, '--data', join(folder, 'data'), '--', '-c', 'select 1'];
    expect((await type(argv, { doors, env: { PATH: process.env.PATH ?? '' } })).code).toBe(3);
    expect(seen).toEqual([{ dataDir: join(folder, 'data'), name: 'shop', args: ['-c', 'select 1'] }]);
  });

  test('knows the volume npm start left in this folder', async () => {
    write('core.yaml', 'version: 1\nname: shop\ndatabase: { name: shop, user: shop }\n');
    mkdirSync(join(folder, '.data', 'bulkhead'), { recursive: true });
    const seen: string[] = [];
    const doors = {
      psql: async ({ dataDir }: PsqlOptions) => {
        seen.push(dataDir);
        return { argv: ['true'], env: {} };
      },
    };
    const options = { doors, cwd: folder, env: { PATH: process.env.PATH ?? '' } };
    expect((await type(['db', 'psql', '--config', folder], options)).code).toBe(0);
    expect(seen).toEqual([join(folder, '.data')]);
    const shown = await type(['config', 'show', '--config', folder], options);
    expect(shown.out).toContain(join(folder, '.data'));
  });

  test('asks the supervisor that runs where the database is', async () => {
    write('core.yaml', 'version: 1\nname: shop\ndatabase: { name: shop, user: shop }\n');
    const planView = () => [
      { path: 'data', value: '/elsewhere', from: '' },
      { path: 'database.port', value: '5499', from: '' },
    ];
    await using control = await openControl(fakeTarget({ planView }));
    const seen: unknown[] = [];
    const doors = {
      psql: async ({ dataDir, database: { port } }: PsqlOptions) => {
        seen.push({ dataDir, port });
        return { argv: ['true'], env: {} };
      },
    };
    const argv = ['db', 'psql', '--config', folder, '--socket', control.path];
    expect((await type(argv, { doors, env: { PATH: process.env.PATH ?? '' } })).code).toBe(0);
    expect(seen).toEqual([{ dataDir: '/elsewhere', port: 5499 }]);
  });

  test('tells how psql gets options of its own', async () => {
    const { code, err } = await type(['db', 'psql', '-c', 'select 1']);
    expect(code).toBe(2);
    expect(err).toContain('bulkhead db psql -- -c …');
  });

  test('is refused where the plan has no database', async () => {
    const { code, err } = await typed('db psql', {
      doors: { psql: async () => ({ argv: [], env: {} }) },
      env: { API_TOKEN: 'x-token' },
    });
    expect(code).toBe(5);
    expect(err).toContain('cannot open psql: the plan has no database of its own');
  });
});

test('tier tells what each tier of the folder adds, and which would run', async () => {
  const { code, out } = await typed('tier', {
    env: { API_TOKEN: 'x', BULKHEAD_TIER: 'scraper', BULKHEAD_DATA: folder },
  });
  expect(code).toBe(0);
  expect(out).toMatch(/^ {2}core {5}services app$/m);
  expect(out).toMatch(/^▶ scraper {2}\+ services worker$/m);
  expect(out).toContain('scraper would (BULKHEAD_TIER)');
  expect(out).not.toContain('full');
});
