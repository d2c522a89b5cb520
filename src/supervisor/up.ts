/** `bulkhead up`: from flags and variables to a running supervisor, or to a clear refusal that changed nothing. */
import { resolve as resolvePath } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import { formatProblems } from '../config/format-problems.ts';
import { type PlanRequest, readPlan } from '../config/read-plan.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { ensureDir, readTextIfExists } from '../system/files.ts';
import { readLockHolder, takeLock } from '../system/lock.ts';
import { giveUpPrivileges } from '../system/privileges.ts';
import { takeRunFolder } from './run-folder.ts';
import { supervise } from './supervisor.ts';

export interface UpOptions {
  readonly tier: string | undefined;
  readonly config: string | undefined;
  readonly data: string | undefined;
  readonly view: BootObserver;
}

/** Who shows the boot to a person. */
export interface BootObserver {
  show(product: ProductStatus): void;
  /** Writes something else with what is shown out of its way. */
  around(write: () => void): void;
  finish(product: ProductStatus): void;
  abandon(): void;
}

/** Runs until it is asked to stop, or must; resolves with the exit code of the contract (protocol/exit-codes.ts). */
export async function runUp(options: UpOptions): Promise<number> {
  const { env } = process;
  try {
    const dataDir = resolvePath(options.data ?? env['BULKHEAD_DATA'] ?? '/data');
    const uid = process.geteuid?.() ?? 0;
    const request: PlanRequest = {
      flags: { tier: options.tier, config: options.config, data: options.data && dataDir },
      env,
      readFile: readIfReadable,
      root: uid === 0,
      cwd: process.cwd(),
      runDir: takeFolder(dataDir, uid),
    };
    const reading = readPlan(request);
    if (reading.warnings.length > 0) say(formatProblems(reading.warnings, { color: wantsColor() }));
    if (reading.plan === undefined) {
      say(formatProblems(reading.problems, { color: wantsColor() }));
      return UpExit.cannotStart;
    }
    lockData(reading.plan.dataDir);
    if (!reading.plan.runs.some(({ confinement }) => confinement?.privileged)) giveUpPrivileges();
    return await supervise({ request, reading, view: options.view });
  } catch (error) {
    options.view.abandon();
    const isExpected = error instanceof Failure;
    say(`error: ${isExpected ? error.message : `internal error: ${stackOf(error)}`}\n`);
    if (isExpected && error.remedy !== undefined) say(`  fix: ${error.remedy}\n`);
    return isExpected ? (error.exitCode ?? UpExit.cannotStart) : UpExit.internal;
  }
}

/** For the life of the process: a second supervisor on the same volume ends 75 and touches nothing. */
function lockData(dataDir: string): void {
  const folder = `${dataDir}/bulkhead`;
  let lock: ReturnType<typeof takeLock>;
  try {
    ensureDir(folder, 0o755);
    lock = takeLock(`${folder}/lock`);
  } catch (cause) {
    throw new Failure(`cannot use the data folder ${dataDir}: ${messageOf(cause)}`, {
      remedy: `make it writable for uid ${process.geteuid?.() ?? 0}, or choose another with --data or BULKHEAD_DATA`,
      exitCode: UpExit.cannotStart,
      cause,
    });
  }
  if (lock !== undefined) return;
  throw dataInUse(dataDir);
}

/** Whoever runs this volume also has its run folder: then the volume is the reason to tell. */
function takeFolder(dataDir: string, uid: number): string {
  try {
    return takeRunFolder(dataDir, uid);
  } catch (error) {
    const lock = `${dataDir}/bulkhead/lock`;
    if (readIfReadable(lock) === undefined) throw error;
    const taken = takeLock(lock);
    if (taken === undefined) throw dataInUse(dataDir);
    taken.release();
    throw error;
  }
}

function dataInUse(dataDir: string): Failure {
  const holder = readLockHolder(`${dataDir}/bulkhead/lock`);
  return new Failure(
    `cannot use the data folder ${dataDir}: another supervisor uses it${holder === undefined ? '' : ` (pid ${holder} where it runs)`}`,
    { remedy: 'stop that one first, or choose another folder with --data', exitCode: UpExit.dataInUse },
  );
}

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
  return process.stderr.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}

function say(text: string): void {
  process.stderr.write(text);
}
