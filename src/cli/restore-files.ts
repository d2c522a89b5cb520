/** `backup restore` of assets and of configuration: told, asked, and put in their places. */
import { formatDuration } from '../base/duration.ts';
import { formatSize } from '../base/size.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { ConfigChange, RestoreFilesPlan } from '../protocol/operations.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { usageFailure } from './arguments.ts';
import type { Context } from './command.ts';
import { confirm } from './confirm.ts';
import { openProgramPlace } from './program-place.ts';
import { readIdentity } from './read-identity.ts';
import { ageOf } from './status-text.ts';

export type FilesKind = RestoreFilesPlan['kind'];

/** What `backup`, an id or a path, is of, where that are files; `kind`: what was said of it. */
export function filesKindOf(backup: string, kind: string | undefined): FilesKind | undefined {
  const named = kind ?? /\d{6}Z-(assets|config)(-[0-9a-f]*)?\/*$/.exec(backup)?.[1];
  return named === 'assets' || named === 'config' ? named : undefined;
}

export async function restoreFiles(context: Context, kind: FilesKind, wanted: string): Promise<number> {
  const { given, io } = context;
  const begun = io.now();
  const isFar = given.has('from-offsite');
  if (isFar && given.has('dry-run')) {
    throw usageFailure(
      `cannot tell what a copy of ${kind} would change before it is here`,
      'bring it here first, which changes nothing that is in use: bulkhead backup fetch BACKUP',
    );
  }
  const place = await openProgramPlace(context);
  const alone = place.alone ? { alone: '1' } : {};
  try {
    const backup = isFar ? await fetch() : wanted;
    const input = {
      backup,
      kind,
      ...alone,
      ...(given.has('replace') ? { replace: '1' } : {}),
      ...readIdentity(context),
    };
    // The other end is this very program: the shape is that of protocol/operations.ts.
    const plan = (await place.run('restore-files', { ...input, dryRun: '1' })) as RestoreFilesPlan;
    context.say(describe(plan, io.now()));
    if (given.has('dry-run')) {
      if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: true, restore: plan });
      return CommandExit.ok;
    }
    const asks =
      kind === 'config' ? plan.files > 0 : given.has('replace') && plan.folders.some(({ taken }) => taken);
    if (asks) await confirm(context, `restore ${plan.what}`);
    const done = (await place.run('restore-files', {
      ...input,
      backup: isPath(backup) ? backup : plan.what,
    })) as RestoreFilesPlan;
    if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, dryRun: false, restore: done });
    context.say(
      [
        `restored ${done.what} in ${formatDuration(io.now() - begun)}.`,
        ...describeKept(done),
        ...(place.alone || done.files === 0 ? [] : [IN_FORCE[kind]]),
      ].join('\n'),
    );
    return CommandExit.ok;
  } finally {
    place.close();
  }

  async function fetch(): Promise<string> {
    const id = wanted.split('/').at(-1) ?? '';
    const answer = (await place.run('fetch-backup', { id, kind, ...alone })) as {
      readonly fetched: { readonly id: string };
    };
    return answer.fetched.id;
  }
}

const IN_FORCE: Readonly<Record<FilesKind, string>> = {
  assets:
    'A service that holds files of them open keeps the old ones until it is restarted: bulkhead restart SERVICE',
  config: 'It comes into force with a restart of the container; a changed plan with: bulkhead reload',
};

function isPath(word: string): boolean {
  return word.startsWith('/');
}

function describe(plan: RestoreFilesPlan, now: number): string {
  const { what, at, kind, files, bytes, folders, changes } = plan;
  const age = `${what} is of ${at}, ${ageOf(at, now)} ago`;
  if (kind === 'config') {
    const same = changes.filter((change) => change.what === 'same').length;
    return [
      `${age}: ${files} ${files === 1 ? 'file' : 'files'} would be written${same > 0 ? `, ${same} are there as they were` : ''}.`,
      ...changes.filter((change) => change.what !== 'same').map(tellChange),
    ].join('\n');
  }
  return [
    `${age}: ${files} files, ${formatSize(bytes ?? 0)}.`,
    ...folders.map(({ folder, taken }) =>
      taken
        ? `It takes the place of what is in ${folder}, which is kept.`
        : `${folder} is made; nothing is in it.`,
    ),
  ].join('\n');
}

const SAID: Readonly<Record<ConfigChange['what'], string>> = {
  new: 'new    ',
  changed: 'replace',
  same: 'same   ',
  left: 'not    ',
};

function tellChange({ path, what, why }: ConfigChange): string {
  return `  ${SAID[what]}  ${path}${why === undefined ? '' : `  (${why})`}`;
}

function describeKept({ kept, folders }: RestoreFilesPlan): string[] {
  const places = [kept, ...folders.map((each) => each.kept)].filter((place) => place !== undefined);
  return places.map((place) => `What was there is in ${place}; remove it when it is not needed any more.`);
}
