// Removes pictures that no tool shows: of tools that are gone, and what kills left. Data: { "dry_run": true } only counts.
import { withDatabase } from './database/session.ts';
import { listShown } from './database/tools.ts';
import { removeUnshown } from './images/assets.ts';
import { Problem } from './problem.ts';
import { type Run, runProgram } from './run-program.ts';

async function cleanAssets({ job, settings, say }: Run): Promise<void> {
  const { dry_run: dryRun = false } = job.assignment.data;
  if (typeof dryRun !== 'boolean') throw new Problem('cannot clean: "dry_run" is true or false');
  const shown = await withDatabase(settings.databaseUrl, listShown);
  // A database that is new or half restored shows nothing, and that is no reason to throw everything away.
  if (shown.tools === 0)
    throw new Problem('cannot clean: the directory has no tools, so every picture would go');
  const removed = await removeUnshown(settings.assets, shown.paths, { dryRun });
  job.report({ type: 'result', value: { ...removed, kept: shown.paths.size, dryRun } });
  say(`${dryRun ? 'would remove' : 'removed'} ${removed.files} pictures of ${removed.bytes} bytes`);
}

await runProgram(cleanAssets);
