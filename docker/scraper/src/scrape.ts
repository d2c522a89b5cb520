// One tool's website: looked at, its pictures kept below the assets folder, all else in one transaction.
import { Unwelcome } from './browser/navigation.ts';
import { withDatabase } from './database/session.ts';
import { keepFailure, keepFindings, type Tool } from './database/tools.ts';
import { type Described, describe } from './describe.ts';
import { keepAsset, sweepAssets } from './images/assets.ts';
import { lookAt, type Seen } from './look-at.ts';
import { Problem, wordsOf } from './problem.ts';
import { type Run, runProgram, Stopped } from './run-program.ts';
import { findTarget, readAsked, readWebAddress } from './target.ts';

async function scrape(run: Run): Promise<void> {
  const { job, settings } = run;
  const started = performance.now();
  const durationMs = () => Math.round(performance.now() - started);
  const asked = readAsked(job.assignment.data);
  // An address alone can be looked at without a database.
  const needed = 'tool' in asked || settings.databaseUrl !== undefined;
  const tool = needed
    ? await withDatabase(settings.databaseUrl, (client) => findTarget(client, asked))
    : undefined;
  const address = readWebAddress(tool?.url ?? ('url' in asked ? asked.url : undefined));
  let seen: Seen;
  try {
    seen = await lookAt(address, { ...run, progress: job.progress });
  } catch (error) {
    // A kill or a stop says nothing about the site.
    if (tool && !(error instanceof Stopped)) await remember(run, tool, wordsOf(error));
    if (!(error instanceof Unwelcome)) throw error;
    run.say(error.message);
    return job.report({
      type: 'result',
      value: {
        outcome: 'unwelcome',
        tool: tool?.id,
        url: address,
        reason: error.message,
        ...{ assets: 0, apiCalls: 0, durationMs: durationMs() },
      },
    });
  }
  job.progress(70, 'writing');
  const value = {
    ...(tool ? await keep(run, tool, seen) : { outcome: 'seen', assets: 0, apiCalls: 0 }),
    url: seen.url,
    title: seen.facts.title,
    description: seen.facts.description,
    language: seen.facts.language,
    bytes: seen.received,
    browserMemory: seen.memory,
    durationMs: durationMs(),
  };
  job.progress(100, 'done');
  job.report({ type: 'result', value });
  run.say(
    `${tool ? `kept tool ${tool.id}` : 'seen'}: ${seen.facts.title ?? 'no title'} (${value.durationMs} ms)`,
  );
}

/** Pictures first, rows last: what the database names is there, and what it does not name the next visit removes. */
async function keep(run: Run, tool: Tool, seen: Seen) {
  const { settings, signal } = run;
  const written = await write(run, tool, seen);
  signal.throwIfAborted();
  const logo = seen.logo && (await keepAsset(settings.assets, 'logos', tool.id, seen.logo));
  const screenshot = await keepAsset(settings.assets, 'screenshots', tool.id, seen.screenshot);
  signal.throwIfAborted();
  const { title, description, language } = seen.facts;
  const shown = await withDatabase(settings.databaseUrl, (client) =>
    keepFindings(client, tool, { url: seen.url, title, description, language, written, logo, screenshot }),
  );
  if (!shown) throw new Problem(`cannot keep tool ${tool.id}: it is gone, or has another address by now`);
  await sweepAssets(settings.assets, tool.id, [shown.logo_path, shown.screenshot_path]);
  return {
    outcome: 'kept',
    tool: tool.id,
    logo: shown.logo_path,
    screenshot: shown.screenshot_path,
    // The numbers of all results are added up as metrics.
    assets: logo ? 2 : 1,
    apiCalls: settings.gemini ? 1 : 0,
  };
}

/** A description by Gemini, where there is a key. A page without one is still a page. */
async function write({ settings, signal, say }: Run, tool: Tool, seen: Seen): Promise<Described | undefined> {
  if (!settings.gemini) return undefined;
  try {
    return await describe(tool.name, seen.facts, settings.gemini, signal);
  } catch (error) {
    signal.throwIfAborted();
    say(`no description from Gemini: ${wordsOf(error).replaceAll(settings.gemini.key, '…')}`);
    return undefined;
  }
}

async function remember({ settings, say }: Run, tool: Tool, failure: string): Promise<void> {
  try {
    await withDatabase(settings.databaseUrl, (client) => keepFailure(client, tool, failure));
  } catch (error) {
    say(`the failure could not be kept: ${wordsOf(error)}`);
  }
}

await runProgram(scrape);
