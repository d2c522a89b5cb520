import { posix } from 'node:path';
import { TIERS } from './load-files.ts';
import { makeSourceFile } from './located.ts';
import { parseYaml } from './parse-yaml.ts';
import { Problems } from './problems.ts';
import { valueAt } from './tree.ts';

/** The first other tier of the folder whose own file holds this service; asked only to word an error. */
export function findServiceTier(
  service: string,
  current: string,
  folder: string | undefined,
  readFile: (path: string) => string | undefined,
): string | undefined {
  if (folder === undefined) return undefined;
  return TIERS.filter((tier) => tier !== current).find((tier) => {
    const path = posix.join(folder, `${tier}.yaml`);
    const text = readFile(path);
    if (text === undefined) return false;
    const tree = parseYaml(makeSourceFile(path, text), new Problems(new Set()));
    return (
      valueAt(tree, 'services', service) !== undefined ||
      (service === 'database' && valueAt(tree, 'database') !== undefined) ||
      ((service === 'worker' || service === 'api') && valueAt(tree, 'jobs') !== undefined)
    );
  });
}
