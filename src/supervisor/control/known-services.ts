import { Failure } from '../../base/errors.ts';
import { suggestWord } from '../../base/suggest.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { ProductStatus, ServiceStatus } from '../../protocol/status.ts';

/** The status of one service by name; a Failure that lists the names there are where it is none. */
export function findService(product: ProductStatus, name: string): ServiceStatus {
  const found = product.services.find((service) => service.name === name);
  if (found) return found;
  const names = product.services.map((service) => service.name);
  const meant = suggestWord(name, names);
  throw new Failure(`cannot find service "${name}": the plan has no such service`, {
    code: 'unknown-service',
    remedy: meant === undefined ? `use one of: ${names.join(', ')}` : `did you mean "${meant}"?`,
    exitCode: CommandExit.unknownName,
  });
}
