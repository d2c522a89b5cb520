import { Failure } from '../base/errors.ts';
import { suggestWord } from '../base/suggest.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { ProductStatus, ServiceStatus } from '../protocol/status.ts';

/** The services that were named, all replicas by the one name they share, in the order of the plan; all where none was. A wrong name is a Failure. */
export function pickServices(product: ProductStatus, names: readonly string[]): readonly ServiceStatus[] {
  if (names.length === 0) return product.services;
  const known = [...new Set(product.services.flatMap(({ name, replicaOf }) => [name, replicaOf ?? name]))];
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    const meant = suggestWord(wrong, known);
    throw new Failure(`cannot find service "${wrong}": the plan has no such service`, {
      code: 'unknown-service',
      exitCode: CommandExit.unknownName,
      remedy: meant === undefined ? `use one of: ${known.join(', ')}` : `did you mean "${meant}"?`,
    });
  }
  return product.services.filter(
    ({ name, replicaOf }) => names.includes(name) || (replicaOf !== undefined && names.includes(replicaOf)),
  );
}
