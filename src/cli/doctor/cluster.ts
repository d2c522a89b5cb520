import { Failure } from '../../base/errors.ts';
import type { DatabaseStatus } from '../../protocol/database-status.ts';
import type { Finding } from '../../protocol/finding.ts';
import type { Context, Doors } from '../command.ts';
import { describeDrift, driftRemedy } from '../database-text.ts';
import { runProgram } from '../run-program.ts';

/** Is something about to be put in the place of the cluster, and what is there to go back to? */
export async function examineCluster(doors: Doors, dataDir: string): Promise<readonly Finding[]> {
  const outlook = await doors.outlook?.(dataDir);
  if (outlook === undefined) return [];
  const check = 'cluster';
  const { pending, problem, kept } = outlook;
  return [
    ...(problem === undefined ? [] : [{ check, level: 'fail', fact: problem } as const]),
    ...(pending === undefined ? [] : [{ check, level: 'warn', fact: pending } as const]),
    ...kept.map(({ name, major, until }): Finding => {
      const fact = `${name} (PostgreSQL ${major}) is kept until ${until}; back to it: bulkhead db rollback ${name}`;
      return { check, level: 'ok', fact };
    }),
  ];
}

/** Asked of the living server, which alone knows how it sorts; one that cannot be asked is told of by other findings. */
export async function examineTextOrder(context: Context): Promise<readonly Finding[]> {
  try {
    // The other end is this very program: the shape is that of protocol/database-status.ts.
    const { drifted } = (await runProgram(context, 'database-status', {})) as DatabaseStatus;
    return [textOrderFinding(drifted)];
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

/** `elsewhere`: the database on a server that is not ours, where no start of ours builds an index. */
export function textOrderFinding(drifted: readonly string[], elsewhere?: string): Finding {
  const check = 'text order';
  if (drifted.length === 0)
    return { check, level: 'ok', fact: 'text is sorted as when the indexes were built' };
  const remedy = driftRemedy(elsewhere);
  return { check, level: 'warn', fact: describeDrift(drifted), remedy };
}
