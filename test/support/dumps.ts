/** Dumps of a small but awkward database, made once per test file by the real pg_dump. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { findBinaries } from '../../src/postgres/binaries.ts';
import type { TestVolume } from './postgres.ts';

export interface Dumps {
  readonly folder: string;
  readonly plain: string;
  readonly inserts: string;
  readonly clean: string;
  readonly gzip: string;
  readonly zstd: string;
  readonly custom: string;
  readonly directory: string;
  readonly tar: string;
  /** With a table whose policies bind its owner too. */
  readonly forced: string;
}

/** `volume` runs a server; its database `source` is made for the purpose. */
export async function makeDumps(volume: TestVolume, folder: string): Promise<Dumps> {
  mkdirSync(folder, { recursive: true });
  const schema = readFileSync(join(import.meta.dirname, '..', 'database', 'real-schema.sql'), 'utf8');
  await volume.admin('CREATE DATABASE source');
  await volume.admin(schema, 'source');
  const { bin } = findBinaries({ libraryDir: folder });
  const dump = (name: string, ...flags: string[]): string => {
    const path = join(folder, name);
    execFileSync(join(bin, 'pg_dump'), [
      ...['-h', join(volume.runDir, 'pg'), '-p', String(volume.plan.port), '-U', 'bulkhead', '-d', 'source'],
      ...['-f', path],
      ...flags,
    ]);
    return path;
  };
  const plain = dump('plain.sql');
  const gzip = join(folder, 'packed.dump');
  const zstd = join(folder, 'packed.other');
  writeFileSync(gzip, gzipSync(readFileSync(plain)));
  writeFileSync(zstd, zstdCompressSync(readFileSync(plain)));
  const dumps: Omit<Dumps, 'forced'> = {
    folder,
    plain,
    gzip,
    zstd,
    inserts: dump('inserts.sql', '--inserts', '--rows-per-insert=3'),
    clean: dump('clean.sql', '--clean', '--create'),
    custom: dump('custom', '-Fc'),
    directory: dump('directory', '-Fd', '-j2'),
    tar: dump('tar', '-Ft'),
  };
  chmodSync(dumps.directory, 0o755);
  await volume.admin('ALTER TABLE tools FORCE ROW LEVEL SECURITY', 'source');
  return { ...dumps, forced: dump('forced', '-Fc') };
}

/** Rows of every table, by the owner, to be compared between two databases. */
export const COUNTS = `
  SELECT jsonb_object_agg(c.oid::regclass::text, (xpath('/row/n/text()',
           query_to_xml('SELECT count(*) AS n FROM ' || c.oid::regclass, false, true, '')))[1]::text::int) AS counts
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema)'`;

/** Objects by kind. */
export const OBJECTS = `
  SELECT (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public')::int AS functions,
         (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal)::int AS triggers,
         (SELECT count(*) FROM pg_constraint)::int AS constraints,
         (SELECT count(*) FROM pg_class WHERE relkind = 'i')::int AS indexes,
         (SELECT count(*) FROM pg_policy)::int AS policies,
         (SELECT count(*) FROM pg_largeobject_metadata)::int AS objects,
         (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM tools t) AS content,
         (SELECT obj_description('tools'::regclass)) AS comment`;
