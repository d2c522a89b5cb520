import type { Plan } from './plan.ts';
import type { PlanLine } from './plan-line.ts';
import { runLines, settingLines } from './plan-lines.ts';
import type { Origin, Provenance } from './provenance.ts';
import { hideSecrets, isSecretName, MASK } from './secrets.ts';

export interface ShownLine extends PlanLine {
  /** `core.yaml:12`, `default`, `variable PORT`, `database`, `jobs`: where the value came from. */
  readonly from: string;
}

/** The whole plan line by line with the origin of each value; secrets are masked. Shape of `config show --json`. */
export function listPlan(plan: Plan, provenance: Provenance): ShownLine[] {
  const shown = (path: string, value: string, from: string, secret = false): ShownLine => ({
    path,
    value: secret ? MASK : hideSecrets(value, provenance.secrets),
    from,
  });
  const settings = settingLines(plan).map(({ path, value }) =>
    shown(path, value, originOf(path, provenance), isTainted(path, provenance)),
  );
  const runs = plan.runs.flatMap((run) => {
    const base = basePath(run.name, plan, provenance);
    return runLines(run).map(({ path, value }) => {
      if (base === undefined) return shown(`services.${run.name}.${path}`, value, madeBy(run.name));
      const full = `${base}.${path}`;
      return shown(
        `services.${run.name}.${path}`,
        value,
        originOf(full, provenance),
        isTainted(full, provenance),
      );
    });
  });
  return [...settings, ...runs];
}

/** For people: the plan laid out like a plan file, with the origin of each value in a comment. */
export function showPlan(plan: Plan, provenance: Provenance, { color }: { color: boolean }): string {
  const dim = (text: string): string => (color ? `\u001b[2m${text}\u001b[0m` : text);
  const rows: { text: string; from: string }[] = [];
  let open: string[] = [];
  for (const { path, value, from } of listPlan(plan, provenance)) {
    const keys = splitPath(path, plan);
    let same = 0;
    while (same < keys.length - 1 && open[same] === keys[same]) same += 1;
    for (let depth = same; depth < keys.length - 1; depth += 1) {
      rows.push({ text: `${'  '.repeat(depth)}${keys[depth]}:`, from: '' });
    }
    open = keys.slice(0, -1);
    rows.push({ text: `${'  '.repeat(keys.length - 1)}${keys.at(-1)}: ${value}`, from });
  }
  const width = Math.min(60, Math.max(...rows.map(({ text }) => text.length)));
  const lines = rows.map(({ text, from }) =>
    from === '' ? text : `${text.padEnd(width)}  ${dim(`# ${from}`)}`,
  );
  for (const { name, why } of plan.disabled) lines.push(dim(`# off: ${name}, ${why}`));
  return `${lines.join('\n')}\n`;
}

/** A secret went into it, whatever it is called itself. */
function isTainted(path: string, { origins }: Provenance): boolean {
  const uses = origins.get(path)?.uses ?? [];
  return uses.some(({ name, from }) => (from === 'environment' || from === 'file') && isSecretName(name));
}

/** Whose words made a run that no stanza of its own has. */
function madeBy(run: string): string {
  return run === 'worker' ? 'jobs' : run === 'api' ? 'api' : 'database';
}

function basePath(run: string, plan: Plan, { origins }: Provenance): string | undefined {
  if (origins.has(`services.${run}`)) return `services.${run}`;
  return plan.database && run === 'migrate' ? 'database.migrate' : undefined;
}

function originOf(path: string, { origins, files }: Provenance): string {
  const origin = origins.get(path) ?? (path.includes('.environment.') ? undefined : nearest(path, origins));
  if (!origin) return 'default';
  if (origin.beatenBy !== undefined)
    return origin.beatenBy.startsWith('--') ? origin.beatenBy : `variable ${origin.beatenBy}`;
  return [describeFile(origin, files), ...describeUses(origin)].join(', ');
}

/** One level up, where a short form says it: `depends_on: [redis]`, `env_file: app.env`, `restart: on-failure:3`. */
function nearest(path: string, origins: ReadonlyMap<string, Origin>): Origin | undefined {
  const match = /^(.*\.depends_on)\.[^.]+$/.exec(path);
  return match?.[1] === undefined ? undefined : origins.get(match[1]);
}

function describeFile({ file, line }: Origin, files: readonly string[]): string {
  if (file === undefined) return 'default';
  // The names are enough where they differ, and they always do inside one folder.
  const name = file.slice(file.lastIndexOf('/') + 1);
  const unique = files.filter((other) => other.endsWith(`/${name}`)).length < 2;
  return `${unique ? name : file}:${line}`;
}

function describeUses({ uses }: Origin): string[] {
  return uses.map(({ name, from }) => {
    if (from === 'default') return `${name} not set`;
    if (from === 'late') return `${name} known at start`;
    return from === 'file' ? `from ${name}_FILE` : from === 'unset' ? `${name} not set` : `from ${name}`;
  });
}

/** Names of services hold dots; a path is cut at the others only. */
function splitPath(path: string, plan: Plan): string[] {
  const run = plan.runs.find(({ name }) => path.startsWith(`services.${name}.`));
  if (!run) return path.split('.');
  const rest = path.slice(`services.${run.name}.`.length);
  const dot = rest.indexOf('.');
  return ['services', run.name, ...(dot < 0 ? [rest] : [rest.slice(0, dot), rest.slice(dot + 1)])];
}
