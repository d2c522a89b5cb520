/** A real Prometheus scrapes a real product: the database of its own, a job, the token, both formats, the linter. */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dashboardText } from '../../src/metrics/dashboard.ts';
import { eventually } from '../support/descendants.ts';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

/** Where Debian's programs lie, installed or unpacked. */
const bin = process.env.PROMETHEUS_BIN ?? '/usr/bin';
/** Nobody is asked to install 80 MB for one trial; where somebody says that it is there, it must be. */
const isWanted = process.env.PROMETHEUS_BIN !== undefined || existsSync(join(bin, 'prometheus'));

type Answer = { readonly data: unknown; readonly status: string; readonly error?: string };
type Vector = readonly { readonly value: readonly [time: number, value: string] }[];

test.runIf(isWanted)('the rules of alerts are ones it understands, and each of their queries', () => {
  const file = join(import.meta.dirname, '../../docker/prometheus/alerts.yml');
  const told = execFileSync(join(bin, 'promtool'), ['check', 'rules', file], { encoding: 'utf8' });
  const count = readFileSync(file, 'utf8').match(/- alert:/g)?.length;
  expect(told).toContain(`SUCCESS: ${count} rules found`);
});

test.runIf(isWanted)(
  'Prometheus takes every scrape, and every query of the dashboard is one it understands',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
    // The database's user has to get through.
    chmodSync(folder, 0o755);
    const [databasePort, port] = await freePorts(2);
    await using undo = new AsyncDisposableStack();
    undo.defer(() => rmSync(folder, { recursive: true, force: true }));
    const bulkhead = await startSupervisor({
      folder,
      env: { BULKHEAD_DB_PORT: String(databasePort) },
      plan: `
version: 1
name: measured
database: { settings: { fsync: off } }
queue: { store: memory, user: nobody }
api: { user: nobody }
jobs:
  echo: { user: nobody, command: [sh, -c, 'read -r line <&3; printf "{\\"type\\":\\"result\\",\\"value\\":{\\"assets\\":3}}\\n" >&3'] }
`,
    });
    undo.use(bulkhead);
    await bulkhead.ready();
    expect((await bulkhead.run('wait', 'api', 'worker', '--timeout', '60s')).code).toBe(0);
    expect((await bulkhead.run('job', 'run', 'echo', '--wait')).code).toBe(0);

    writeFileSync(join(folder, 'token'), readFileSync(join(bulkhead.dataDir, 'secrets', 'token')));
    const target = `static_configs: [{ targets: ["127.0.0.1:${bulkhead.apiPort}"] }]`;
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `global: { scrape_interval: 2s, scrape_timeout: 2s }
scrape_configs:
  - { job_name: bulkhead, authorization: { credentials_file: ${folder}/token }, ${target} }
`,
    );
    const prometheus = spawn(
      join(bin, 'prometheus'),
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    prometheus.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const ended = new Promise((resolve) => prometheus.once('close', resolve).once('error', resolve));
    undo.defer(async () => {
      prometheus.kill('SIGKILL');
      await ended;
    });

    const ask = async (path: string): Promise<Answer> =>
      (
        await fetch(`http://127.0.0.1:${port}/api/v1/${path}`, { headers: { connection: 'close' } })
      ).json() as Promise<Answer>;
    const told = async (query: string): Promise<number | undefined> => {
      const { data } = await ask(`query?query=${encodeURIComponent(query)}`);
      const found = (data as { result: Vector }).result[0]?.value[1];
      return found === undefined ? undefined : Number(found);
    };
    await eventually('Prometheus listens', () =>
      ask('status/buildinfo').then(
        () => true,
        () => false,
      ),
    );
    await eventually(
      'the database is measured',
      async () => Number(await told('bulkhead_database_size_bytes')) > 1e6,
      60_000,
    );
    await eventually(
      'there are five scrapes',
      async () => Number(await told('count_over_time(up[1h])')) > 4,
      60_000,
    );
    expect(await told('min_over_time(up[1h])'), said).toBe(1);
    expect(await told('bulkhead_job_result_total{type="echo",field="assets"}')).toBe(3);
    expect(await told('bulkhead_service_resident_memory_bytes{service="database"}')).toBeGreaterThan(1e6);
    // It knows the type of each: the heads were read as well.
    const { data: metadata } = await ask('metadata');
    expect(
      Object.keys(metadata as object).filter((name) => name.startsWith('bulkhead_')).length,
    ).toBeGreaterThan(40);
    // It says so where a scrape had doubles or values out of order.
    expect(said).not.toMatch(/level=(warn|error)/);

    const { panels } = JSON.parse(dashboardText());
    for (const { targets = [] } of panels) {
      for (const { expr } of targets) {
        const { status, error } = await ask(
          `query?query=${encodeURIComponent(expr.replaceAll('$instance', '.*'))}`,
        );
        expect([status, error], expr).toEqual(['success', undefined]);
      }
    }
    const text = await (
      await fetch(`http://127.0.0.1:${bulkhead.apiPort}/metrics`, { headers: { connection: 'close' } })
    ).text();
    expect(execFileSync(join(bin, 'promtool'), ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe(
      '',
    );
  },
);
