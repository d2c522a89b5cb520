/** The Compose files people start with: valid, and of one mind with the Dockerfile and with what we read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseDuration } from '../../src/base/duration.ts';
import { BULKHEAD_VARIABLES } from '../../src/config/known-variables.ts';

interface ComposeService {
  readonly build?: { readonly target?: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly stop_grace_period?: string;
}

interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
}

const ROOT = join(import.meta.dirname, '..', '..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** The specification's own schema, byte for byte, as Docker Compose has it; published with dclint. */
const schema = JSON.parse(
  readFileSync(new URL('schemas/compose.schema.json', import.meta.resolve('dclint/package.json')), 'utf8'),
);
// It names formats of its own, which no validator knows, and its dialect by another address than ajv.
const validate = new Ajv({ strict: false, validateFormats: false }).compile({
  ...schema,
  $schema: undefined,
});

const files = readdirSync(join(ROOT, 'docker')).filter((name) => /^compose\..*\.yaml$/.test(name));

test('the schema is that of today, and does refuse', () => {
  expect(schema.title).toBe('Compose Specification');
  // Younger words, of which an old copy knows nothing.
  expect(validate({ name: 'a', models: {}, services: { a: { image: 'b', provider: { type: 'c' } } } })).toBe(
    true,
  );
  expect(validate({ services: { a: { imag: 'b' } } })).toBe(false);
  expect(validate({ services: { a: { image: 'b', stop_grace_period: 5 } } })).toBe(false);
});

describe.each(files)('docker/%s', (name) => {
  const file: ComposeFile = parse(text(`docker/${name}`), { merge: true });
  const services = Object.values(file.services);
  const environments = services.map(({ environment = {} }) => environment);

  test('is valid by the Compose Specification', () => {
    validate(file);
    expect(validate.errors).toBeNull();
  });

  test('builds what the Dockerfile has', () => {
    for (const { build } of services) {
      if (build !== undefined) expect(text('Dockerfile')).toContain(` AS ${build.target}\n`);
    }
  });

  test('sets no variable that we do not read', () => {
    const ours = environments.flatMap((one) => Object.keys(one)).filter((key) => key.startsWith('BULKHEAD_'));
    expect(ours.filter((key) => !Object.hasOwn(BULKHEAD_VARIABLES, key))).toEqual([]);
  });

  test('lets nobody but the app speak off the loopback', () => {
    const open = services.flatMap(({ ports = [] }) => ports).filter((port) => !port.startsWith('127.0.0.1:'));
    // In development the app runs outside.
    expect(open).toEqual(name === 'compose.dev.yaml' ? [] : ['3000:3000']);
  });

  test('gives our whole stop less time than Docker does', () => {
    for (const { environment, stop_grace_period: grace = '10s' } of services) {
      const ours = environment?.BULKHEAD_STOP_TIMEOUT;
      if (ours !== undefined) expect(parseDuration(ours)).toBeLessThan(parseDuration(grace) ?? 0);
    }
  });

  test('names only secrets that are declared, in files that neither git nor an image takes in', () => {
    const declared = Object.entries(file.secrets ?? {});
    expect(services.flatMap(({ secrets = [] }) => secrets).sort()).toEqual(declared.map(([key]) => key));
    for (const [, { file: path }] of declared) {
      const [, usual = ''] = /:-\.\/(.*)\}$/.exec(path) ?? [];
      expect(existsSync(join(ROOT, 'docker', usual))).toBe(false);
      for (const ignored of ['.gitignore', '.dockerignore'])
        expect(text(ignored).split('\n')).toContain(`docker/${usual}`);
    }
  });
});
