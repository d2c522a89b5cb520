import { posix } from 'node:path';
import { suggestWord } from '../base/suggest.ts';
import { fillTree } from './fill-tree.ts';
import { interpolate } from './interpolate.ts';
import { makeSourceFile, type Place } from './located.ts';
import { mergeFiles } from './merge.ts';
import { parseYaml } from './parse-yaml.ts';
import type { Outside, Problems } from './problems.ts';
import { type MapValue, type Value, valueAt } from './tree.ts';
import type { Variables } from './variables.ts';

/** Tiers of the product, each containing the one before. */
export const TIERS = ['core', 'scraper', 'full'] as const;

export interface Loader {
  readFile(path: string): string | undefined;
  readonly problems: Problems;
  readonly variables: Variables;
}

/** The files of a plan, the extending one first, and the folder they were chosen from (undefined: one file). */
export interface LoadedFiles {
  readonly trees: readonly MapValue[];
  readonly folder: string | undefined;
}

/** Finds and parses the file of a tier and all it extends. A path that can be read is the file; else it is a folder. */
export function loadFiles(config: string, tier: string, loader: Loader): LoadedFiles | undefined {
  const { readFile, problems } = loader;
  const single = readFile(config);
  if (single !== undefined) return chain(config, single, undefined, loader);
  if (!/^[\w.-]+$/.test(tier)) {
    return problems.error(
      { outside: 'environment', source: `BULKHEAD_TIER=${tier}` },
      'bad-tier',
      `"${tier}" is no name of a tier`,
    );
  }
  const path = findTier(config, tier, loader);
  const text = path === undefined ? undefined : readFile(path);
  if (path !== undefined && text !== undefined) return chain(path, text, config, loader);
  const there = TIERS.filter((name) => findTier(config, name, loader) !== undefined);
  if (there.length === 0) {
    return problems.error(
      { outside: config },
      'no-configuration',
      `cannot read a plan at ${config}: there is no ${tier}.yaml`,
      {
        suggestion: 'name the folder or the file with --config or BULKHEAD_CONFIG',
      },
    );
  }
  const meant = suggestWord(tier, there);
  return problems.error({ outside: config }, 'no-tier', `there is no tier "${tier}" in ${config}`, {
    suggestion: meant === undefined ? undefined : `did you mean "${meant}"?`,
    note: `tiers there: ${there.join(', ')}`,
  });
}

/** Lays the files over each other, base first. Variables are filled file by file, before, as Compose does. */
export function joinFiles(files: LoadedFiles, loader: Loader): MapValue | undefined {
  let joined: Value | undefined;
  for (const tree of [...files.trees].reverse()) {
    const filled = fillTree(tree, loader.variables, loader.problems);
    joined = joined === undefined ? filled : mergeFiles(joined, filled);
  }
  return joined?.kind === 'map' ? joined : undefined;
}

function findTier(folder: string, tier: string, { readFile }: Loader): string | undefined {
  return ['.yaml', '.yml']
    .map((end) => posix.join(folder, tier + end))
    .find((path) => readFile(path) !== undefined);
}

function chain(
  path: string,
  text: string,
  folder: string | undefined,
  loader: Loader,
): LoadedFiles | undefined {
  const trees: MapValue[] = [];
  const seen = [path];
  let current: { path: string; text: string } | undefined = { path, text };
  while (current) {
    const tree = parseFile(current.path, current.text, loader);
    if (!tree) return undefined;
    trees.push(tree);
    current = readBase(tree, current.path, seen, loader);
  }
  return { trees, folder };
}

function parseFile(path: string, text: string, { problems }: Loader): MapValue | undefined {
  const file = makeSourceFile(path, text.replace(/^\uFEFF/, ''));
  const tree = parseYaml(file, problems);
  if (!tree || tree.kind === 'map') return tree;
  const empty = tree.kind === 'scalar' && tree.empty;
  return problems.error(tree.place, 'not-a-plan', empty ? 'the file is empty' : 'a plan is a map of words', {
    suggestion: 'start with "version: 1" and "services:"',
  });
}

function readBase(
  tree: MapValue,
  path: string,
  seen: string[],
  { readFile, problems, variables }: Loader,
): { path: string; text: string } | undefined {
  const base = valueAt(tree, 'extends');
  if (!base) return undefined;
  const written = base.kind === 'scalar' && typeof base.text === 'string' ? base.text : undefined;
  const name =
    written === undefined ? undefined : interpolate(written, (one) => variables.lookup(one, base.place)).text;
  if (typeof name !== 'string' || name === '') {
    return problems.error(base.place, 'bad-extends', 'extends takes the path of one file', {
      suggestion: 'extends: core.yaml',
    });
  }
  const target = posix.resolve(posix.dirname(path), name);
  if (seen.includes(target) || target === posix.resolve(path)) {
    return problems.error(base.place, 'endless-extends', `${name} extends this file in turn`);
  }
  seen.push(target);
  const text = readFile(target);
  if (text === undefined) return missingBase(base.place, target, problems);
  return { path: target, text };
}

function missingBase(place: Place | Outside, target: string, problems: Problems): undefined {
  return problems.error(place, 'missing-file', `cannot read ${target}: missing or closed to us`, {
    suggestion: 'the path counts from the file that extends',
  });
}
