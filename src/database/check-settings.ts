/**
 * What a person has set is read by the server's own parser before the server is started: its complaint names file and
 * line, and a start that cannot succeed is not tried again and again.
 */
import { Failure } from '../base/errors.ts';
import { UpExit } from '../protocol/exit-codes.ts';
import { runTool } from '../system/commands.ts';

/**
 * @param argv the server's own command line
 * @throws Failure (exit 13) with each complaint
 */
export async function checkSettings(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  overrides: string | undefined,
): Promise<void> {
  // Prints one setting and ends, once all files are read and every value is found to be a possible one.
  const result = await runTool([...argv, '-C', 'config_file'], { env });
  if (!result.failed) return;
  throw new Failure(`cannot start the database with these settings: ${complaints(result.stderr)}`, {
    remedy: `mend the line that is named, in ${overrides === undefined ? '' : `${overrides}, or `}\`database.settings\` of the plan`,
    exitCode: UpExit.cannotStart,
  });
}

/** `[12] LOG:  unrecognized configuration parameter "x" in file "/…/mine.conf" line 3` and the FATAL after it. */
function complaints(stderr: string): string {
  const said = stderr
    .split('\n')
    .map((line) => /(?:LOG|ERROR|FATAL|HINT|DETAIL|postgres): +(.*)$/.exec(line)?.[1] ?? '')
    .filter((text) => text !== '');
  const exact = said.filter((text) => !/^configuration file .* contains errors/.test(text));
  return (exact.length > 0 ? exact : said).join('; ') || 'the server does not say why';
}
