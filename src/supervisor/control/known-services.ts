import { Failure } from '../../base/errors.ts';
import { suggestWord } from '../../base/suggest.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { ProductStatus, ServiceStatus } from '../../protocol/status.ts';

/** The status of one service by name, or of the first of its replicas; a Failure that lists the names there are. */
export function findService(product: ProductStatus, name: string): ServiceStatus {
  const [found] = findServices(product, name);
  if (found) return found;
  const names = new Set(
    product.services.flatMap((service) => [service.replicaOf ?? service.name, service.name]),
  );
  const meant = suggestWord(name, [...names]);
  throw new Failure(`cannot find service "${name}": the plan has no such service`, {
    code: 'unknown-service',
    remedy: meant === undefined ? `use one of: ${[...names].join(', ')}` : `did you mean "${meant}"?`,
    exitCode: CommandExit.unknownName,
  });
}

/** What the names mean, each once: a service itself, or all replicas that go by one name. */
export function listMeant(product: ProductStatus, names: readonly string[]): readonly ServiceStatus[] {
  return [
    ...new Set(
      names.flatMap((name) => {
        findService(product, name);
        return findServices(product, name);
      }),
    ),
  ];
}

function findServices({ services }: ProductStatus, name: string): readonly ServiceStatus[] {
  const exact = services.find((service) => service.name === name);
  return exact ? [exact] : services.filter(({ replicaOf }) => replicaOf === name);
}
