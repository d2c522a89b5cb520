/**
 * `docker stop` while clients insert rows: how long it takes, how it ends, and whether every row that was
 * acknowledged is there after the next start.
 *
 *   node bench/stop-under-load.ts [--runs=5] [--clients=4]
 *
 * Needs Docker and the image under test. Ends 1 where a stop was not clean or a row is missing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { IMAGE, waitFor } from '../test/image/container.ts';
import { describeSpread, readOption } from './samples.ts';
import { type Boot, isUp, mustDocker, prepare, remove, run } from './subjects.ts';

const runs = readOption('runs', 5);
const clients = readOption('clients', 4);
const seconds: number[] = [];
let unclean = 0;

for (let round = 1; round <= runs; round++) {
  const { ms, code, state, acknowledged, found } = await measure();
  seconds.push(ms);
  if (code !== 0 || state !== 'shut down' || found < acknowledged) unclean += 1;
  console.log(
    `${round}: ${ms.toFixed()} ms, exit ${code}, "${state}", ${acknowledged} rows acknowledged, ${found} found again`,
  );
}
console.log(
  `stop under ${clients} writing clients, s: ${describeSpread(seconds, 1000, 2)}; not clean: ${unclean}`,
);
process.exitCode = unclean > 0 ? 1 : 0;

async function measure() {
  const boot = await prepare();
  const up = () => waitFor('the product to be up', () => isUp('bulkhead', boot.ports));
  try {
    await run('bulkhead', boot);
    await up();
    const password = await mustDocker(['exec', boot.name, 'cat', '/data/secrets/app_password']);
    await query(boot, password, 'CREATE TABLE writes (id bigserial PRIMARY KEY, text text NOT NULL)');
    const load = Array.from({ length: clients }, () => writeUntilCutOff(boot, password));
    await sleep(2000);
    const from = performance.now();
    await mustDocker(['stop', boot.name]);
    const ms = performance.now() - from;
    const acknowledged = (await Promise.all(load)).reduce((sum, rows) => sum + rows, 0);
    const code = Number(await mustDocker(['inspect', '-f', '{{.State.ExitCode}}', boot.name]));
    const state = await readState(boot);
    await mustDocker(['start', boot.name]);
    await up();
    const found = await query(boot, password, 'SELECT count(*) FROM writes');
    return { ms, code, state, acknowledged, found };
  } finally {
    await remove(boot);
  }
}

function connect({ ports }: Boot, password: string): Client {
  const client = new Client({
    host: '127.0.0.1',
    port: ports.database,
    user: 'video_ia_user',
    database: 'video_ia_net',
    password,
  });
  // The end of the connection is what is being measured; queries tell of it as well.
  client.on('error', () => {});
  return client;
}

/** Rows that PostgreSQL has acknowledged, one transaction each. */
async function writeUntilCutOff(boot: Boot, password: string): Promise<number> {
  const client = connect(boot, password);
  await client.connect();
  let rows = 0;
  try {
    for (;;) {
      await client.query('INSERT INTO writes (text) VALUES ($1)', ['x'.repeat(500)]);
      rows += 1;
    }
  } catch {
    return rows;
  }
}

/** The first column of the first row, as a number. */
async function query(boot: Boot, password: string, sql: string): Promise<number> {
  const client = connect(boot, password);
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return Number(rows[0]?.[0]);
  } finally {
    await client.end();
  }
}

/** What pg_controldata says of the cluster, of a container that has ended. */
async function readState({ volume }: Boot): Promise<string> {
  const mount = ['--volume', `${volume}:/data`, '--entrypoint', 'pg_controldata'];
  const said = await mustDocker(['run', '--rm', '--network', 'host', ...mount, IMAGE, '/data/pg/current']);
  return /^Database cluster state: +(.*)$/m.exec(said)?.[1] ?? said;
}
