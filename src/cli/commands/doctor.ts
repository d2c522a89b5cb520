import { Failure, messageOf } from '../../base/errors.ts';
import { countProblems } from '../../config/format-problems.ts';
import type { DatabasePlan } from '../../config/plan.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { Finding } from '../../protocol/finding.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ProductStatus } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { examineCluster, examineTextOrder, textOrderFinding } from '../doctor/cluster.ts';
import { examineIsolation, examineMachine } from '../doctor/machine.ts';
import { examinePorts } from '../doctor/ports.ts';
import { examineVolume } from '../doctor/volume.ts';
import { problemsOf } from '../moments-text.ts';
import { findDataDir } from '../place.ts';
import { readPlanHere } from '../plan-reading.ts';
import type { Tone } from '../terminal.ts';

const LOOKS: Readonly<Record<Finding['level'], { readonly glyph: string; readonly tone: Tone }>> = {
  ok: { glyph: '✔', tone: 'good' },
  warn: { glyph: '▲', tone: 'warn' },
  fail: { glyph: '✖', tone: 'bad' },
};

/** Works without a supervisor. Exit 1 when something must be mended before Bulkhead can run. */
export async function run(context: Context): Promise<number> {
  const { io, given } = context;
  const { finding: supervisor, isRunning, notes } = await examineSupervisor(context);
  const { finding: configuration, ports, database } = examineConfiguration(context);
  const dataDir = findDataDir({ env: io.env, cwd: io.cwd, data: given.value('data') });
  const findings = [
    supervisor,
    configuration,
    ...examineVolume(dataDir),
    ...((await context.doors.examineData?.(dataDir, isRunning)) ?? []),
    ...(await examineCluster(context.doors, dataDir)),
    ...(isRunning && database && !database.external ? await examineTextOrder(context) : []),
    ...(notes === undefined ? [examineIsolation(io.uid)] : notes.map(toFinding)),
    ...examineMachine(),
    await examinePostgres(context),
    ...(database?.external ? await examineExternal(context, database) : []),
    ...(await examineArchive(context)),
    // The ports of a running supervisor are taken, and should be.
    ...(isRunning ? [] : await examinePorts(ports)),
  ];
  const worst = findings.some(({ level }) => level === 'fail');
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ok: !worst, findings });
  context.say(findings.map((finding) => renderFinding(finding, context)).join('\n'));
  return worst ? CommandExit.failed : CommandExit.ok;
}

function renderFinding({ check, level, fact, remedy }: Finding, { paint }: Context): string {
  const { glyph, tone } = LOOKS[level];
  const head = `${paint(tone, glyph)} ${check.padEnd(10)} ${fact}`;
  return remedy === undefined ? head : `${head}\n  ${' '.repeat(10)} ${paint('dim', `fix: ${remedy}`)}`;
}

/** What the supervisor knows of itself beats what we could guess: we may run as somebody else. */
function toFinding(note: string): Finding {
  return { check: 'note', level: 'warn', fact: note };
}

async function examineSupervisor(
  context: Context,
): Promise<{ finding: Finding; isRunning: boolean; notes?: readonly string[] }> {
  const check = 'supervisor';
  try {
    const client = await context.client();
    const product = await client.get<ProductStatus>('/v1/status');
    const fact = `running, pid ${product.pid}, ${product.name} ${product.version}, tier ${product.tier}`;
    const { notes } = product;
    if (product.overall === 'pass') return { finding: { check, level: 'ok', fact }, isRunning: true, notes };
    const why = { fact: `${fact}; ${product.reason}`, remedy: 'see more: bulkhead status' };
    return { finding: { check, level: product.overall, ...why }, isRunning: true, notes };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const isClosed = error.code === 'no-permission';
    const remedy = error.remedy === undefined ? {} : { remedy: error.remedy };
    return {
      finding: { check, level: isClosed ? 'fail' : 'warn', fact: error.message, ...remedy },
      isRunning: isClosed,
    };
  }
}

function examineConfiguration(context: Context) {
  const reading = readPlanHere(context);
  const check = 'config';
  if (reading.problems !== undefined) {
    const [first] = reading.problems;
    const fact = `${countProblems(reading.problems)}; the first: ${first?.message ?? ''}`;
    const finding: Finding = { check, level: 'fail', fact, remedy: 'see all of them: bulkhead config check' };
    return { finding, ports: [], database: undefined };
  }
  const { plan, warnings } = reading;
  const ports = [
    { what: 'probes', port: plan.ports.probes, variable: 'BULKHEAD_PORT' },
    ...(plan.database && !plan.database.external
      ? [{ what: 'database', port: plan.ports.database, variable: 'BULKHEAD_DB_PORT' }]
      : []),
  ];
  const fact = `${plan.name}, tier ${plan.tier}, ${plan.runs.length} run${plan.runs.length === 1 ? '' : 's'}`;
  if (warnings.length === 0)
    return { finding: { check, level: 'ok', fact } satisfies Finding, ports, database: plan.database };
  const remedy = 'see them: bulkhead config check';
  return {
    finding: { check, level: 'warn', fact: `${fact}; ${countProblems(warnings)}`, remedy } satisfies Finding,
    ports,
    database: plan.database,
  };
}

/** As the application would, from here: name, network, certificate, password, all of it. */
async function examineExternal({ doors }: Context, database: DatabasePlan): Promise<readonly Finding[]> {
  const check = 'database';
  if (!doors.externalDatabase) throw new Error('the front door gave no way to the database');
  try {
    const { fact, drifted } = await doors.externalDatabase(database);
    return [{ check, level: 'ok', fact }, textOrderFinding(drifted, database.name)];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const remedy = error.remedy === undefined ? {} : { remedy: error.remedy };
    return [{ check, level: 'fail', fact: error.message, ...remedy }];
  }
}

/** Nothing to say where no log was ever archived. */
async function examineArchive({ doors, io, given }: Context): Promise<readonly Finding[]> {
  const check = 'archive';
  const dataDir = findDataDir({ env: io.env, cwd: io.cwd, data: given.value('data') });
  try {
    const moments = await doors.moments?.(dataDir);
    if (moments === undefined) return [];
    const problems = problemsOf(moments, io.now());
    if (problems.length > 0) return problems.map((fact) => ({ check, level: 'warn', fact }));
    const last = moments.windows.at(-1);
    if (last) return [{ check, level: 'ok', fact: `back to any moment until ${last.to}` }];
    const remedy = 'make a base backup: bulkhead backup run base';
    return [{ check, level: 'warn', fact: 'no moment can be gone back to yet', remedy }];
  } catch (error) {
    return [{ check, level: 'warn', fact: `the archived log cannot be read: ${messageOf(error)}` }];
  }
}

async function examinePostgres({ doors }: Context): Promise<Finding> {
  const check = 'postgres';
  if (!doors.postgres) throw new Error('the front door gave no way to find PostgreSQL');
  try {
    const { bin, major, embedded } = await doors.postgres();
    const fact = `PostgreSQL ${major} in ${bin}`;
    if (!embedded) return { check, level: 'ok', fact };
    const remedy = 'install the package postgresql for pg_dump, pg_restore and psql';
    return {
      check,
      level: 'warn',
      fact: `${fact}, from npm: archives cannot be imported or backed up`,
      remedy,
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const remedy = error.remedy === undefined ? {} : { remedy: error.remedy };
    return { check, level: 'fail', fact: error.message, ...remedy };
  }
}
