/**
 * `docker kill` at random moments of a first boot, then one more boot: the data must be whole and imported once.
 *
 *   node bench/kills.ts [--runs=30] [--seed=1] [--until=6000]
 *
 * Needs Docker and the image under test. Ends 1 where anything was not whole.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { docker, waitFor } from '../test/image/container.ts';
import { makeRandom } from '../test/support/random.ts';
import { readOption } from './samples.ts';
import { type Boot, countTools, isUp, mustDocker, prepare, ROWS, remove, run } from './subjects.ts';

const runs = readOption('runs', 30);
const seed = readOption('seed', 1);
/** ms after `docker run` has returned; the later kills hit a product that serves already. */
const until = readOption('until', 6000);

console.log(`${runs} kills, seed ${seed}, each 0–${until} ms after docker run`);
const random = makeRandom(seed);
let violations = 0;
let early = 0;
for (let round = 1; round <= runs; round++) {
  const delay = Math.round(random() * until);
  const { found, served } = await killAndBoot(delay);
  violations += found.length;
  if (!served) early += 1;
  const when = served ? 'after it was up' : 'during the boot';
  console.log(`${round}: killed after ${delay} ms, ${when}: ${found.join('; ') || 'whole'}`);
}
console.log(`violations: ${violations} of ${runs} kills, ${early} of them before the product was up`);
process.exitCode = violations > 0 ? 1 : 0;

async function killAndBoot(delay: number): Promise<{ found: string[]; served: boolean }> {
  const boot = await prepare();
  try {
    await run('bulkhead', boot);
    await sleep(delay);
    const served = await isUp('bulkhead', boot.ports);
    await mustDocker(['kill', boot.name]);
    await mustDocker(['start', boot.name]);
    try {
      await waitFor('the second boot', () => isUp('bulkhead', boot.ports));
    } catch (error) {
      const rows = await countTools(boot.ports);
      const { stdout, stderr } = await docker(['logs', '--tail', '30', boot.name]);
      console.error(stdout + stderr);
      return { found: [`${rows} rows instead of ${ROWS}: ${error}`], served };
    }
    return { found: await findLeftovers(boot), served };
  } finally {
    await remove(boot);
  }
}

/** What contradicts one whole import. */
async function findLeftovers(boot: Boot): Promise<string[]> {
  const imports = await query(boot, `SELECT count(*) FROM bulkhead.ledger WHERE kind = 'import'`);
  const scratches = await query(
    boot,
    `SELECT string_agg(datname, ', ') FROM pg_database WHERE datname LIKE '%\\_\\_imp\\_%' OR datname LIKE '%\\_\\_new\\_%'`,
  );
  const stages = await mustDocker(['exec', boot.name, 'find', '/data', '-name', '.stage-*']);
  return [
    ...(imports === '1' ? [] : [`${imports} rows of kind import in the ledger`]),
    ...(scratches === '' ? [] : [`databases left behind: ${scratches}`]),
    ...(stages === '' ? [] : [`stages left behind: ${stages}`]),
  ];
}

function query({ name, ports }: Boot, sql: string): Promise<string> {
  const user = ['-u', 'postgres', '-e', `PGPORT=${ports.database}`];
  return mustDocker(['exec', ...user, name, 'psql', '-U', 'bulkhead', '-d', 'postgres', '-Atc', sql]);
}
