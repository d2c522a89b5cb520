import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, messageOf } from '../../base/errors.ts';
import { formatSize } from '../../base/size.ts';
import { type BundleCreated, type BundleRequest, DIED_BY_SIGNAL } from '../../protocol/bundles.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { usageFailure } from '../arguments.ts';
import { askSecret } from '../ask-secret.ts';
import type { Context } from '../command.ts';
import { tameLine } from '../terminal.ts';

export async function run(context: Context): Promise<number> {
  const { given, io, doors } = context;
  const stop = new AbortController();
  const giveBack = (['SIGINT', 'SIGTERM'] as const).map((name) => io.onSignal(name, () => stop.abort()));
  const path = (text: string): string => resolve(io.cwd, text);
  const envFile = given.value('env-file');
  try {
    const request = {
      url: readUrl(context),
      output: path(given.value('output') ?? defaultName(io.now())),
      assets: given.values('assets').map(path),
      envFile: envFile === undefined ? undefined : path(envFile),
      signal: stop.signal,
      tell: (text: string) => context.remark(tameLine(text)),
    };
    if (existsSync(request.output)) {
      throw new Failure(`cannot write the bundle ${request.output}: there is a file of that name`, {
        remedy: 'name another with --output, or move that one away',
        exitCode: CommandExit.refused,
      });
    }
    if (!doors.bundle) throw new Error('the front door gave no way to make a bundle');
    const bundle = await doors.bundle();
    const passphrase = await findPassphrase(context, () => bundle.hasSecrets(request));
    const made = await bundle.create({ ...request, passphrase });
    if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ...made });
    context.say(describe(made));
    return CommandExit.ok;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    context.remark('stopped; nothing was written');
    return DIED_BY_SIGNAL;
  } finally {
    for (const give of giveBack) give();
  }
}

/** Never an argument: whoever can list processes could read it there. */
function readUrl({ io: { env, cwd } }: Context): BundleRequest['url'] {
  const file = env.DATABASE_URL_FILE;
  const url = env.DATABASE_URL || (file ? readText(resolve(cwd, file), 'DATABASE_URL_FILE').trim() : '');
  if (url !== '') return url;
  throw usageFailure(
    'cannot run bundle create: which database is not said',
    'set DATABASE_URL, or DATABASE_URL_FILE to a file that holds it, as the application has it',
  );
}

async function findPassphrase(
  { given, io, json }: Context,
  hasSecrets: () => Promise<boolean>,
): Promise<string | undefined> {
  const file = given.value('passphrase-file') ?? io.env.BUNDLE_PASSPHRASE_FILE;
  if (file !== undefined && file !== '') {
    const found = readText(resolve(io.cwd, file), 'the passphrase').replace(/\r?\n$/, '');
    if (found !== '') return found;
    throw new Failure(`cannot use the passphrase in ${file}: it is empty`);
  }
  if (json || !(await hasSecrets())) return undefined;
  const first = await askSecret(io, 'Passphrase for the secrets (empty: leave them out): ');
  if (first === undefined || first === '') return undefined;
  if ((await askSecret(io, 'The same again: ')) === first) return first;
  throw new Failure('cannot use the passphrase: the two are not the same', { remedy: 'begin again' });
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure(`cannot read ${what}: ${messageOf(cause)}`, {
      remedy: `make ${path} readable for uid ${process.geteuid?.() ?? 0}`,
      cause,
    });
  }
}

function defaultName(now: number): string {
  return `move-${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}.bundle.tar`;
}

function describe(made: BundleCreated): string {
  const { assets, environment } = made;
  const lines = [
    `${made.path}: ${formatSize(made.size)}, sha256 ${made.sha256}`,
    `database ${made.database}: ${made.rows} rows in ${made.tables} tables, ` +
      (made.untried === undefined
        ? 'restored beside and compared'
        : `read back, and not restored beside: ${made.untried}`),
  ];
  if (!made.largeObjects) lines.push('large objects are not compared: this role may not read all of them');
  if (assets) lines.push(`assets: ${assets.files} files, ${formatSize(assets.bytes)}`);
  for (const skipped of assets?.skipped ?? []) lines.push(`not brought along: ${skipped}`);
  for (const torn of assets?.torn ?? []) lines.push(`changed while it was read: ${torn}`);
  if (environment && environment.sealed.length > 0)
    lines.push(`encrypted to the passphrase: ${environment.sealed.join(', ')}`);
  if (environment && environment.leftOut.length > 0)
    lines.push(`left out of the environment: ${environment.leftOut.join(', ')}`);
  lines.push('Put it into /data/import of an empty volume; its first start brings in all of it.');
  return lines.map((line) => tameLine(line)).join('\n');
}
