/** Where our programs run: beside the living supervisor, or by ourselves where none lives, under the same locks. */
import { Failure } from '../base/errors.ts';
import type { ProgramName } from '../config/plan-runs.ts';
import type { Report } from '../protocol/channel.ts';
import type { AskableProgram, ChangeAnswer, ChangeRequest } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { readStructured } from '../protocol/structured.ts';
import { sayChange } from './change-services.ts';
import { describeChange } from './change-text.ts';
import type { Client } from './client.ts';
import type { AloneRuns, Context } from './command.ts';
import { findDataDir } from './place.ts';
import { defaultConfig } from './plan-reading.ts';
import { hearProgram, runProgram } from './run-program.ts';
import { tameLine } from './terminal.ts';

export interface ProgramPlace {
  /** Nobody lives there: what is done comes into force here and now, and is served by the next `bulkhead up`. */
  readonly alone: boolean;
  run(program: AskableProgram, input: Readonly<Record<string, string>>): Promise<unknown>;
  /**
   * Lets a cluster that was built take its place: a restart of the task `cluster` with all that depends on it. `from`:
   * another one to begin with, where the cluster stays.
   */
  comeIntoForce(timeout: number | undefined, from?: string): Promise<number>;
  close(): void;
}

export async function openProgramPlace(context: Context): Promise<ProgramPlace> {
  const client = await findLiving(context);
  return client === undefined ? openAlone(context) : beside(context, client);
}

async function findLiving(context: Context): Promise<Client | undefined> {
  const client = await context.client();
  try {
    await client.get('/v1/health', { accept: [503] });
    return client;
  } catch (error) {
    if (error instanceof Failure && error.code === 'unreachable') return undefined;
    throw error;
  }
}

/** Beside the supervisor behind `client`. */
export function beside(context: Context, client: Client): ProgramPlace {
  return {
    alone: false,
    run: (program, input) => runProgram(context, program, input),
    async comeIntoForce(timeout, from = 'cluster') {
      const request: ChangeRequest = { names: [from], dependents: true, timeout: timeout ?? LONG };
      const answer = await client.post<ChangeAnswer>('/v1/services/restart', request);
      for (const change of answer.changes) {
        if (change.outcome === 'changed') continue;
        sayChange(context, change, describeChange('restart', change, context.io.now()));
      }
      return answer.exitCode;
    },
    close: () => undefined,
  };
}

/** pino's number. */
const WARN = 40;

/** What a program logs is meant for PID 1; warnings and errors are told by their reports already. */
function tellLines(tell: (text: string) => void): (bytes: Buffer) => void {
  let rest = '';
  return (bytes) => {
    const lines = (rest + bytes.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const structured = readStructured(line);
      if (structured?.msg === undefined) tell(line);
      else if ((structured.level ?? 0) < WARN) tell(structured.msg);
    }
  };
}

/** A large cluster is dumped, restored and compared in the course of it. ms */
const LONG = 12 * 3_600_000;

async function openAlone(context: Context): Promise<ProgramPlace> {
  const { doors, given, io } = context;
  if (!doors.alone) throw new Error('the front door gave no way to run a program alone');
  const session: AloneRuns = await doors.alone({
    tier: given.value('tier'),
    config: given.value('config'),
    defaultConfig: defaultConfig(io.cwd),
    data: findDataDir({ env: io.env, cwd: io.cwd, data: given.value('data') }),
    onOutput: tellLines((text) => context.remark(tameLine(text))),
  });
  const run = (program: ProgramName, input: Readonly<Record<string, string>>): Promise<unknown> =>
    hearProgram(context, program, (signal, hear: (report: Report) => void) =>
      session.run(program, input, hear, signal),
    );
  return {
    alone: true,
    run,
    async comeIntoForce() {
      await run('cluster', {});
      return CommandExit.ok;
    },
    close: () => session.close(),
  };
}
