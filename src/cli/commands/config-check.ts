import { countProblems, formatProblems, problemsToJson } from '../../config/format-problems.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';
import { readPlanHere } from '../plan-reading.ts';

/** The problems are the answer, so they go to standard output. */
export async function run(context: Context): Promise<number> {
  const reading = readPlanHere(context);
  const found = [...(reading.problems ?? []), ...reading.warnings];
  const ok = reading.problems === undefined;
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ok, problems: problemsToJson(found) });
  if (found.length > 0) context.say(formatProblems(found, { color: context.color }).trimEnd());
  if (reading.problems === undefined && !context.given.has('quiet')) {
    const { name, tier, runs } = reading.plan;
    const remarks = countProblems(reading.warnings);
    context.say(
      `ok: ${name}, tier ${tier}, ${runs.length} run${runs.length === 1 ? '' : 's'}${remarks === '' ? '' : `, ${remarks}`}`,
    );
  }
  return ok ? CommandExit.ok : CommandExit.invalidConfiguration;
}
