import type { Finding } from '../../protocol/finding.ts';
import type { Doors } from '../command.ts';

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
