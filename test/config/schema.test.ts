import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { planSchema, schemaText } from '../../src/config/schema.ts';
import { SHIPPED } from './reading.ts';

const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
const validate = ajv.compile(planSchema());
const broken = join(import.meta.dirname, 'broken');

/** What only the reader can see: variables, other files, other services, the order of things, YAML itself. */
const BEYOND_A_SCHEMA = new Set([
  'aliases.yaml',
  'backoff.yaml',
  'conditions.yaml',
  'dependencies.yaml',
  'extends-itself.yaml',
  'extends-missing.yaml',
  'late-value.yaml',
  'leaky.yaml',
  'profiles.yaml',
  'secret-files.yaml',
  'variables.yaml',
]);

describe('the JSON Schema', () => {
  test('that is shipped is the one the tables make (npm run schema)', () => {
    expect(readFileSync(join(SHIPPED, 'bulkhead.schema.json'), 'utf8')).toBe(schemaText());
  });

  test.each(['core', 'scraper', 'full'])('accepts %s.yaml', (tier) => {
    validate(parse(readFileSync(join(SHIPPED, `${tier}.yaml`), 'utf8')));
    expect(validate.errors).toBeNull();
  });

  test.each(readdirSync(broken).sort())('refuses %s, or cannot see what is wrong', (file) => {
    let data: unknown;
    try {
      data = parse(readFileSync(join(broken, file), 'utf8'), { logLevel: 'error' });
    } catch {
      // The editor tells YAML's own errors.
      return;
    }
    if (!BEYOND_A_SCHEMA.has(file)) expect(validate(data)).toBe(false);
  });

  test('describes every word', () => {
    const silent: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        if (key === 'properties') {
          for (const [word, schema] of Object.entries(value as Record<string, { description?: string }>)) {
            if (!schema.description) silent.push(`${path}.${word}`);
          }
        }
        walk(value, `${path}.${key}`);
      }
    };
    walk(planSchema(), '');
    expect(silent).toEqual([]);
  });

  test('takes variables where numbers, switches and durations stand', () => {
    const data = parse(`
      version: 1
      database: { port: "\${P:-5432}", migrate: { command: "node m.js", timeout: "\${T}s" } }
      services:
        a:
          command: x
          critical: "\${C:-true}"
          nice: "\${N}"
          restart: "\${R}"
          working_dir: "\${D}"
          healthcheck: { tcp: "\${PORT}", interval: "\${I:-5}s" }
    `);
    validate(data);
    expect(validate.errors).toBeNull();
  });
});
