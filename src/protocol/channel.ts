/**
 * fd 3 between PID 1 and its own child programs: newline-delimited JSON both ways over a connected socket.
 * PID 1 writes one Assignment; the program writes any number of Reports. Identity needs no path or token. The worker
 * and PID 1 go on from there in the messages of protocol/jobs.ts.
 */

import type { BackupsPlan, DatabasePlan } from '../config/plan.ts';
import type { AlertsPlan } from '../config/plan-alerts.ts';
import type { ApiPlan, JobsPlan } from '../config/plan-jobs.ts';
import type { Progress } from './status.ts';

/** The first and only line PID 1 sends. Secrets travel here, never in argv or the environment. */
export interface Assignment {
  readonly program: string;
  readonly dataDir: string;
  /** Directory for sockets: `<runDir>/pg` is PostgreSQL's. */
  readonly runDir: string;
  /** Where secrets live: `<dataDir>/secrets`. */
  readonly database: DatabasePlan | undefined;
  /** There wherever there is a database. */
  readonly backups: BackupsPlan | undefined;
  /** Of the worker, and without the address of Redis of `setup` and the API. */
  readonly jobs?: JobsPlan;
  /** Of the API. */
  readonly api?: AssignedApi;
  /** Of the API; addresses and secrets of its sinks are among `secrets`, as `alerts.NAME.url` and `.secret`. */
  readonly alerts?: AlertsPlan;
  /** true: we are root and services have their own users. */
  readonly isolated: boolean;
  /** Secrets the program may use: `appPassword`; `jobsPassword` (worker, setup), of the role `bulkhead_jobs`; `token` (API). */
  readonly secrets: Readonly<Record<string, string>>;
  /** What a person asked for, e.g. `{ file: "/data/x.sql" }`; empty at boot, but `operateSocket` of the API. */
  readonly input: Readonly<Record<string, string>>;
  /** The command of the plan that this program runs in turn; of `command` only the environment. */
  readonly command?: AssignedCommand;
}

export interface AssignedApi extends ApiPlan {
  readonly port: number;
}

export interface AssignedCommand {
  readonly argv: readonly string[];
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds it may take; undefined: no limit. */
  readonly timeout: number | undefined;
}

export type Report =
  | { readonly type: 'progress'; readonly progress: Progress }
  /** Of a service: its event loop turns. */
  | { readonly type: 'alive' }
  /** Of the database's service: the part of its log that is replayed at this start, in bytes since its beginning. */
  | { readonly type: 'recovery'; readonly from: number; readonly to: number }
  /** Something the operator should know, kept in status until the next start. */
  | { readonly type: 'note'; readonly text: string }
  /** Of the API: the worst alert that fires, for /health; without a reason none does. */
  | { readonly type: 'alerts'; readonly reason: string | undefined }
  /** A failure told to people; followed by a non-zero exit. */
  | { readonly type: 'failure'; readonly message: string; readonly remedy: string | undefined }
  /** The answer of an asked-for run, printed by the command line. */
  | { readonly type: 'result'; readonly value: unknown };
