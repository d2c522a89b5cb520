/** `bulkhead up`: from flags and variables to a running supervisor, or to a clear refusal that changed nothing. */

import { resolve as resolvePath } from 'node:path';
import { Failure } from '../base/errors.ts';
import { formatProblems } from '../config/format-problems.ts';
import { type PlanRequest, readPlan } from '../config/read-plan.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { readMachine } from '../system/cgroup.ts';
import { exists, readTextIfExists } from '../system/files.ts';
import { giveUpPrivileges } from '../system/privileges.ts';
import { findProgram } from '../system/program-path.ts';
import { onSignals } from '../system/signals.ts';
import { findIdentity } from '../system/users.ts';
import type { BootObserver } from './boot-observer.ts';
import { lockData, requireVolume } from './data-folder.ts';
import { refuseOtherMode } from './database-mode.ts';
import { refuseMissingParts } from './parts-check.ts';
import { type RunFolder, takeRunFolder } from './run-folder.ts';
import { supervise } from './supervisor.ts';

export interface UpOptions {
  readonly tier: string | undefined;
  readonly config: string | undefined;
  readonly data: string | undefined;
  readonly view: BootObserver;
}

/** Runs until it is asked to stop, or must; resolves with the exit code of the contract (protocol/exit-codes.ts). */
export async function runUp(options: UpOptions): Promise<number> {
  const { env } = process;
  // The kernel passes over what PID 1 does not listen for, so it must listen before it has anything to stop.
  let asked = false;
  onSignals({
    terminate: () => {
      asked = true;
    },
    reload: () => undefined,
    reopen: () => undefined,
  });
  let runFolder: RunFolder | undefined;
  try {
    const dataDir = resolvePath(options.data ?? (env.BULKHEAD_DATA || '/data'));
    const uid = process.geteuid?.() ?? 0;
    runFolder = takeRunFolder(dataDir, uid);
    const request: PlanRequest = {
      flags: { tier: options.tier, config: options.config, data: options.data && dataDir },
      env,
      readFile: readIfReadable,
      root: uid === 0,
      cwd: process.cwd(),
      runDir: runFolder.path,
      machine: readMachine,
    };
    const reading = readPlan(request);
    if (reading.warnings.length > 0) say(formatProblems(reading.warnings, { color: wantsColor() }));
    if (reading.plan === undefined) {
      say(formatProblems(reading.problems, { color: wantsColor() }));
      return UpExit.cannotStart;
    }
    if (env.BULKHEAD_REQUIRE_VOLUME === '1') requireVolume(reading.plan.dataDir);
    const { plan } = reading;
    refuseOtherMode(plan);
    refuseMissingParts(plan, { exists, findUser: findIdentity, findProgram, isolated: request.root });
    lockData(plan.dataDir, plan.database !== undefined && !plan.database.external);
    if (!reading.plan.runs.some(({ confinement }) => confinement?.privileged)) giveUpPrivileges();
    // Whoever reads records cannot read a table between them.
    const view = reading.plan.log.format === 'text' ? options.view : UNSEEN;
    return await supervise({ request, reading, view, wasAsked: () => asked });
  } catch (error) {
    options.view.abandon();
    const isExpected = error instanceof Failure;
    say(`error: ${isExpected ? error.message : `internal error: ${stackOf(error)}`}\n`);
    if (isExpected && error.remedy !== undefined) say(`  fix: ${error.remedy}\n`);
    return isExpected ? (error.exitCode ?? UpExit.cannotStart) : UpExit.internal;
  } finally {
    runFolder?.leave();
  }
}

const UNSEEN: BootObserver = {
  show: () => undefined,
  around: (write) => write(),
  finish: () => undefined,
  abandon: () => undefined,
};

function readIfReadable(path: string): string | undefined {
  try {
    return readTextIfExists(path);
  } catch {
    return undefined;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function wantsColor(): boolean {
  return process.stderr.isTTY === true && (process.env.NO_COLOR ?? '') === '';
}

function say(text: string): void {
  process.stderr.write(text);
}
