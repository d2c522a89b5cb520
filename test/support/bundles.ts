/** An old host with a database, assets and an environment file, and bundles of it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createTarPacker, type TarHeader } from 'modern-tar';
import { readTar, type TarItem } from '../../src/archives/read-tar.ts';
import type { BundleManifest } from '../../src/bundles/bundle-format.ts';
import { createBundle } from '../../src/bundles/create-bundle.ts';
import { readBundle } from '../../src/bundles/read-bundle.ts';
import type { BundleCreated, BundleRequest } from '../../src/protocol/bundles.ts';
import { type ExternalPostgres, makeExternalPostgres } from './external-postgres.ts';

export const PASSPHRASE = 'correct horse battery staple';
export const ENVIRONMENT = `# of the old host
PORT=3000
NEXTAUTH_SECRET="old secret"
SMTP_PASSWORD='two
lines'
DATABASE_URL=postgresql://app:x@old/app
PUBLIC_NAME=tools
`;

export interface OldHost {
  readonly folder: string;
  readonly server: ExternalPostgres;
  bundle(name: string, changes?: Partial<BundleRequest>): Promise<BundleCreated>;
  remove(): Promise<void>;
}

/** `rows` in the larger of its two tables. */
export async function makeOldHost(rows = 500): Promise<OldHost> {
  const server = await makeExternalPostgres();
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-old-'));
  await server.admin(
    `SET ROLE app;
     CREATE TABLE tools (id int PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());
     INSERT INTO tools SELECT i, 'tool ' || i FROM generate_series(1, ${rows}) i;
     CREATE TABLE tags (tool int REFERENCES tools, tag text); INSERT INTO tags VALUES (1, 'ä'), (2, NULL);
     SELECT lo_from_bytea(0, 'a large object')`,
    'app',
  );
  const assets = join(folder, 'uploads');
  mkdirSync(join(assets, 'a', 'empty'), { recursive: true });
  writeFileSync(join(assets, 'a', 'ü.png'), Buffer.alloc(300_000, 'image'));
  writeFileSync(join(assets, 'none.txt'), '');
  symlinkSync('a/ü.png', join(assets, 'latest'));
  symlinkSync('/etc/passwd', join(assets, 'out'));
  writeFileSync(join(folder, '.env'), ENVIRONMENT);
  return {
    folder,
    server,
    bundle: (name, changes = {}) =>
      createBundle({
        url: server.url(),
        output: join(folder, name),
        assets: [assets],
        envFile: join(folder, '.env'),
        passphrase: PASSPHRASE,
        signal: new AbortController().signal,
        tell: () => undefined,
        ...changes,
      }),
    remove: async () => {
      await server.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What an entry is changed to; undefined: it is left out. */
export type Change = (header: TarHeader, content: Buffer) => readonly [TarHeader, Buffer][];

/** A bundle like another one, but for what `change` does to each entry. */
export async function forgeBundle(from: string, to: string, change: Change): Promise<void> {
  const { readable, controller } = createTarPacker();
  const written = collect(readable);
  for await (const item of readTar(bytesOf(readFileSync(from)), from)) {
    const content = await collect(item.body);
    for (const [header, body] of change(headerOf(item), content)) {
      const sink = controller.add({ ...header, size: body.length }).getWriter();
      if (body.length > 0) await sink.write(body);
      await sink.close();
    }
  }
  controller.finalize();
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, await written);
}

function headerOf({ path, kind, mode, mtime, size, target }: TarItem): TarHeader {
  return { name: path, type: kind, mode, mtime, size, ...(target === undefined ? {} : { linkname: target }) };
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* bytesOf(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content;
}

export async function readManifest(bundle: string): Promise<BundleManifest> {
  return (await readBundle(bundle, { signal: new AbortController().signal })).manifest;
}
