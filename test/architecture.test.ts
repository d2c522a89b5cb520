import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');

interface Import {
  readonly specifier: string;
  readonly lazy: boolean;
  readonly typeOnly: boolean;
}

interface Rule {
  readonly rooms: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort();
const importsOf = new Map(files.map((file) => [file, readImports(readFileSync(join(source, file), 'utf8'))]));
const rules = readRules(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'));

describe('the house', () => {
  test('has a room for every file, and every room stands in the table', () => {
    const unknown = files.filter((file) => !rules.has(roomOf(file)));
    expect(unknown).toEqual([]);
  });

  test('lets imports go only where the table says', () => {
    const broken = files.flatMap((file) => {
      const rule = rules.get(roomOf(file));
      return (importsOf.get(file) ?? [])
        .filter(({ specifier }) => !isAllowed(file, specifier, rule))
        .map(({ specifier }) => `${file} imports ${specifier}`);
    });
    expect(broken).toEqual([]);
  });

  test('has a wall in every place the table draws a door: no row allows what nobody uses', () => {
    const used = new Set(
      files.flatMap((file) =>
        (importsOf.get(file) ?? []).flatMap(({ specifier }) =>
          specifier.startsWith('.')
            ? [`${roomOf(file)} → ${roomOf(targetOf(file, specifier))}`]
            : [`${roomOf(file)} → ${packageOf(specifier)}`],
        ),
      ),
    );
    const idle = [...rules].flatMap(([room, rule]) =>
      [...rule.rooms, ...rule.packages].map((to) => `${room} → ${to}`).filter((door) => !used.has(door)),
    );
    expect(idle).toEqual([]);
  });

  test('has no circle of files, not even of their types', () => {
    expect(findCircle()).toBeUndefined();
  });
});

describe('PID 1', () => {
  const reached = reachedFrom('supervisor/up.ts');
  const loaded = new Set(
    [...reached].flatMap((file) =>
      (importsOf.get(file) ?? [])
        .filter(({ specifier, lazy, typeOnly }) => !lazy && !typeOnly && !specifier.startsWith('.'))
        .map(({ specifier }) => packageOf(specifier)),
    ),
  );

  test('loads no package but those that supervising needs', () => {
    expect([...loaded].filter((name) => !name.startsWith('node:')).sort()).toEqual([
      'croner',
      'tree-kill',
      'yaml',
    ]);
  });

  test('loads none of the built-in modules that cost megabytes', () => {
    expect(
      [...loaded].filter((name) => ['node:crypto', 'node:worker_threads', 'node:cluster'].includes(name)),
    ).toEqual([]);
  });

  test('reaches no program of ours and no client', () => {
    expect([...reached].filter((file) => /^(database|cli)\//.test(file))).toEqual([]);
  });
});

/** Finds `import … from`, `export … from` and `import(…)`. */
function readImports(text: string): Import[] {
  const found: Import[] = [];
  for (const [, kind, names, specifier] of text.matchAll(
    /^(import|export)\b([^'";]*?)from\s*'([^']+)'|^import\s*'([^']+)'/gm,
  )) {
    if (specifier !== undefined) {
      found.push({ specifier, lazy: false, typeOnly: /^\s*type\b/.test(names ?? '') && kind !== undefined });
    }
  }
  for (const [, specifier] of text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) {
    if (specifier !== undefined) found.push({ specifier, lazy: true, typeOnly: false });
  }
  return found;
}

function readRules(markdown: string): Map<string, Rule> {
  const table = new Map<string, Rule>();
  for (const line of markdown.split('\n')) {
    const cells = /^\| ([\w./-]+) \|([^|]*)\|([^|]*)\|$/.exec(line);
    if (!cells || cells[1] === 'room') continue;
    table.set(cells[1] ?? '', { rooms: words(cells[2]), packages: words(cells[3]) });
  }
  return table;
}

function words(cell: string | undefined): Set<string> {
  return new Set((cell ?? '').split(/\s+/).filter((word) => word !== ''));
}

/** `supervisor/logs/lines.ts` → `supervisor/logs`; `config/plan.ts` → `config`; `main.ts` → `main.ts`. */
function roomOf(file: string): string {
  const folder = dirname(file);
  if (folder === '.') return file;
  const parts = folder.split('/');
  return parts[0] === 'supervisor' ? parts.slice(0, 2).join('/') : (parts[0] ?? file);
}

function targetOf(file: string, specifier: string): string {
  return relative(source, resolve(source, dirname(file), specifier));
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function isAllowed(file: string, specifier: string, rule: Rule | undefined): boolean {
  if (specifier.startsWith('node:')) return true;
  if (!specifier.startsWith('.')) return rule?.packages.has(packageOf(specifier)) ?? false;
  const target = targetOf(file, specifier);
  if (!existsSync(join(source, target))) return false;
  return roomOf(target) === roomOf(file) || (rule?.rooms.has(roomOf(target)) ?? false);
}

function reachedFrom(entry: string): Set<string> {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const { specifier, lazy, typeOnly } of importsOf.get(file) ?? []) {
      if (specifier.startsWith('.') && !lazy && !typeOnly) visit(targetOf(file, specifier));
    }
  };
  visit(entry);
  return seen;
}

function findCircle(): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const { specifier } of importsOf.get(file) ?? []) {
      if (!specifier.startsWith('.')) continue;
      const circle = visit(targetOf(file, specifier));
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return undefined;
}
