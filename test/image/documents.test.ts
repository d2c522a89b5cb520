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
    bulkhead:full) argv+=(${FULL_IMAGE}) ;;
    *) argv+=("$word") ;;
  esac
done
if [ "\${argv[0]}" = run ]; then
  argv=(run --network host -e "PORT=$PORT" -e "BULKHEAD_PORT=$BULKHEAD_PORT" -e "BULKHEAD_DB_PORT=$BULKHEAD_DB_PORT" -e "BULKHEAD_API_PORT=$BULKHEAD_API_PORT" "\${argv[@]:1}")
fi
exec ${process.env.DOCKER ?? '/usr/bin/docker'} "\${argv[@]}"
`;
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
  await docker(['volume', 'rm', '-f', volume]);
  rmSync(folder, { recursive: true });
});

const blocks = DOCUMENTS.flatMap(readBlocks).filter(({ mark }) => mark === 'run: image');

it.each(blocks)('docs/$document, line $line', async ({ text }) => {
  const { code, output } = await new Promise<{ code: number; output: string }>((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', text], { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
  expect(code, output).toBe(0);
});
