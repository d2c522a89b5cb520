/** The documents people follow, followed: their commands as they stand there, one after the other, with a real engine. */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DOCUMENTS, readBlocks } from '../support/documents.ts';
import { docker, FULL_IMAGE, freePorts } from './container.ts';

const id = randomBytes(4).toString('hex');
const product = `bulkhead-test-${id}`;
const volume = `bulkhead-test-docs-${id}`;
const volumes = [volume, `${volume}-new`, `${volume}-usb`];

/**
 * Names and ports of a document are everybody's, and the engine of the tests has no network but the host's: the words
 * are the document's, what they name is ours.
 */
const DOCKER = `#!/bin/bash
argv=()
publish=
for word in "$@"; do
  if [ -n "$publish" ]; then publish=; continue; fi
  case $word in
    -p) publish=1 ;;
    product) argv+=(${product}) ;;
    data:/data) argv+=(${volume}:/data) ;;
    new:/data) argv+=(${volume}-new:/data) ;;
    /mnt/usb/backups:*) argv+=(${volume}-usb:"\${word#*:}") ;;
    */20261121T020000Z-dump-3f9ac1) argv+=("\${word%/*}/$(<"$0.dump")") ;;
    bulkhead:full) argv+=(${FULL_IMAGE}) ;;
    *) argv+=("$word") ;;
  esac
done
if [ "\${argv[0]}" = run ]; then
  argv=(run --network host -e "PORT=$PORT" -e "BULKHEAD_PORT=$BULKHEAD_PORT" -e "BULKHEAD_DB_PORT=$BULKHEAD_DB_PORT" -e "BULKHEAD_API_PORT=$BULKHEAD_API_PORT" "\${argv[@]:1}")
fi
exec ${process.env.DOCKER ?? '/usr/bin/docker'} "\${argv[@]}"
`;

/** What a page takes for given before a block that begins so. */
const GIVEN: Readonly<Record<string, string>> = {
  // The disaster.
  'docker run --rm -v data:/data --entrypoint bulkhead bulkhead:full backup list\n': `
    docker stop product
    docker run --rm -v data:/data --entrypoint rm bulkhead:full -rf /data/pg`,
  // The disk on which the backups of the old machine lie.
  'docker run --rm -v new:/data -v /mnt/usb/backups:/old:ro': `
    docker exec product bulkhead wait --for ready --timeout 120s
    docker run --rm -v data:/data -v /mnt/usb/backups:/usb --entrypoint cp bulkhead:full -a /data/backups/. /usb/
    docker exec product ls /data/backups/dump | grep -e -dump- | tail -n 1 >"$(type -P docker).dump"`,
};

const CURL = `#!/bin/bash
argv=("$@")
argv=("\${argv[@]/localhost:9700/127.0.0.1:$BULKHEAD_PORT}")
argv=("\${argv[@]/localhost:9701/127.0.0.1:$BULKHEAD_API_PORT}")
argv=("\${argv[@]/localhost:3000/127.0.0.1:$PORT}")
exec /usr/bin/curl "\${argv[@]}"
`;

let folder: string;
let env: Record<string, string | undefined>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-docs-'));
  for (const [name, text] of [
    ['docker', DOCKER],
    ['curl', CURL],
  ] as const) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
  const { app, probes, database, api } = await freePorts();
  env = {
    ...process.env,
    PATH: `${folder}:${process.env.PATH}`,
    PORT: String(app),
    BULKHEAD_PORT: String(probes),
    BULKHEAD_DB_PORT: String(database),
    BULKHEAD_API_PORT: String(api),
  };
});
afterAll(async () => {
  await docker(['rm', '-f', product]);
  await docker(['volume', 'rm', '-f', ...volumes]);
  rmSync(folder, { recursive: true });
});

const blocks = DOCUMENTS.flatMap((name) => readBlocks(`docs/${name}`)).filter(
  ({ mark }) => mark === 'run: image',
);

it.each(blocks)('$page, line $line', async ({ page, text }) => {
  const given = Object.keys(GIVEN).find(
    (first) => page.endsWith('backup-and-restore.md') && text.startsWith(first),
  );
  if (given !== undefined) expect(await follow(GIVEN[given] ?? '')).toMatchObject({ code: 0 });
  const { code, output } = await follow(text);
  expect(code, output).toBe(0);
});

function follow(text: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', text], { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}
