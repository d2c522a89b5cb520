/** The program `rollback`: a cluster that was in use before comes back at the next start; the one in use is kept. */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { findLack } from '../postgres/find-cluster.ts';
import { type KeptCluster, listKeptClusters } from '../postgres/kept-clusters.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { newOperation, readyToFlip } from '../postgres/operation.ts';
import type { Job } from '../program/job.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { RollbackPlan } from '../protocol/operations.ts';
import { majorInUse } from './major-in-use.ts';
import { orderOperation } from './workspace.ts';

/** Input: `name`, else the newest; `dryRun`. */
export async function runRollback(job: Job): Promise<void> {
  const { name, dryRun } = job.assignment.input;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const kept = findKept(layout, name);
  const lack = findLack(kept.folder);
  if (lack !== undefined) throw new Failure(`cannot bring back ${kept.name}: ${lack}, so it is not whole`);
  findBinaries({ major: kept.major, libraryDir: join(layout.sockets, 'lib') });
  if (dryRun === undefined) {
    const facts = { from: majorInUse(layout), to: kept.major, what: `return to ${kept.name}` };
    const operation = newOperation('rollback', facts);
    orderOperation(layout, readyToFlip({ ...operation, stage: `trash/${kept.name}/${kept.major}` }));
  }
  const { major, since, why } = kept;
  const plan: RollbackPlan = { name: kept.name, major, since, why };
  job.report({ type: 'result', value: plan });
}

function findKept(layout: Layout, name: string | undefined): KeptCluster {
  const all = listKeptClusters(layout);
  const found = name === undefined ? all[0] : all.find((each) => each.name === name);
  if (found) return found;
  const there = all.map((each) => each.name).join(', ');
  throw new Failure(
    name === undefined
      ? `cannot roll back: no cluster from before is kept in ${layout.trash}`
      : `cannot roll back to ${name}: it is not kept`,
    {
      exitCode: CommandExit.unknownName,
      ...(there === '' ? {} : { remedy: `there is: ${there}` }),
    },
  );
}
