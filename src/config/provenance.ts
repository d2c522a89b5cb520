/** Where every value of a plan came from, for `config show`. */

import { environmentMap } from './list-forms.ts';
import { linePosition, type Place } from './located.ts';
import type { Value, VariableUse } from './tree.ts';

export interface Origin {
  /** The file, or undefined where no file says it. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  /** Variables that shaped it. */
  readonly uses: readonly VariableUse[];
  /** `--data`, `BULKHEAD_DATA`, `DATABASE_URL`: what beat the file. */
  readonly beatenBy: string | undefined;
}

export interface Provenance {
  /** By dotted path of the files: `services.app.environment.PORT`, `database.name`, `stop_timeout`. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Values that must never be shown. */
  readonly secrets: ReadonlySet<string>;
  /** The files read, the extending one first. */
  readonly files: readonly string[];
}

export function traceOrigins(root: Value): Map<string, Origin> {
  const origins = new Map<string, Origin>();
  trace(root, '', root.place, origins);
  return origins;
}

function trace(value: Value, path: string, key: Place, origins: Map<string, Origin>): void {
  const written = path.endsWith('.environment') && value.kind === 'list' ? environmentMap(value) : value;
  const place = value.kind === 'scalar' && !value.empty ? value.place : key;
  if (path !== '') {
    const passed = /\.environment\.([^.]+)$/.exec(path)?.[1];
    const isPassed = passed !== undefined && written.kind === 'scalar' && written.empty;
    const uses = isPassed ? [{ name: passed, from: 'environment' as const }] : collectUses(written);
    origins.set(path, {
      file: place.file.path,
      line: linePosition(place.file, place.start).line,
      uses,
      beatenBy: undefined,
    });
  }
  if (written.kind !== 'map') return;
  for (const [name, entry] of written.entries) {
    trace(entry.value, path === '' ? name : `${path}.${name}`, entry.keyPlace, origins);
  }
}

/** Of a scalar or a list; a map's values speak for themselves. */
function collectUses(value: Value): readonly VariableUse[] {
  if (value.kind === 'scalar') return value.uses;
  return value.kind === 'list' ? value.items.flatMap(collectUses) : [];
}
