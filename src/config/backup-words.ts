/** The words of `backups`, and what they come to. */

import { formatSize } from '../base/size.ts';
import { isAgeRecipient } from './age-recipient.ts';
import type { BackupsPlan, OffsitePlan } from './plan.ts';
import type { Problems } from './problems.ts';
import { absolutePath, flag, integer, size } from './scalars.ts';
import { isSecretName } from './secrets.ts';
import { listOf, parsed, type Shape, text } from './shape.ts';
import { placeOfWord, type Stanza, stanza } from './words.ts';

const count = integer(0, 100_000);
/** Fewer would let retention remove the last backup that is known to be good. */
const atLeastOne = integer(1, 100_000);

const keepWords = {
  days: { shape: count, doc: 'Every backup that is not older than so many days.', default: 30 },
  weekly: { shape: count, doc: 'The newest of each of so many ISO weeks.', default: 8 },
  monthly: { shape: count, doc: 'The newest of each of so many months.', default: 6 },
  verified: { shape: atLeastOne, doc: 'The newest so many verified ones, however old.', default: 3 },
} as const;

const recipient: Shape<string> = parsed(
  'a recipient of age: age1 and 58 letters and digits, as age-keygen prints it',
  (written) => (isAgeRecipient(written) ? written : undefined),
  { type: 'string', pattern: '^age1[a-z0-9]{58}$|\\$|^$' },
  (_, written) =>
    /^AGE-SECRET-KEY-/i.test(written)
      ? 'this is the secret key: keep it elsewhere, and write the public one that age-keygen -y prints'
      : /^age1/.test(written)
        ? 'copy it again: a letter is missing or wrong'
        : undefined,
);

const endpoint: Shape<string> = parsed(
  'a URL such as https://s3.example.com',
  (written) => {
    const url = URL.parse(written);
    return url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
      ? written
      : undefined;
  },
  { type: 'string', pattern: '^https?://|\\$|^$' },
  (_, written) => (/^[\w.-]+(:\d+)?$/.test(written) ? `write https://${written}` : undefined),
);

const bucket: Shape<string> = parsed(
  'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
  (written) => (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(written) ? written : undefined),
  { type: 'string', pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$|\\$|^$' },
);

const prefix: Shape<string> = parsed(
  'a path inside the bucket, e.g. shop/backups',
  (written) => {
    const parts = written.replace(/^\/+|\/+$/g, '').split('/');
    return parts.some((part) => part === '' || part === '.' || part === '..') ? undefined : parts.join('/');
  },
  { type: 'string' },
);

const offsiteWords = {
  endpoint: { shape: endpoint, doc: 'The S3-compatible server. Default: that of Amazon.' },
  region: { shape: text, doc: 'The region its requests are signed for.', default: 'us-east-1' },
  bucket: { shape: bucket, doc: 'Where copies go. Empty: there are none.' },
  prefix: { shape: prefix, doc: 'The folder of this product in the bucket. Default: the name of the plan.' },
  access_key_id: { shape: text, doc: 'The key, better from a variable: ${BACKUP_S3_ACCESS_KEY_ID}.' },
  secret_access_key: {
    shape: text,
    doc: 'Its secret, from a variable, which may also come as a file: ${BACKUP_S3_SECRET_ACCESS_KEY}.',
  },
  path_style: {
    shape: flag,
    doc: 'Put the bucket into the path instead of the host name, as most servers but Amazon want it. Default: true with an endpoint.',
  },
} as const;

const offsite = stanza(offsiteWords, {
  aliases: {
    url: '`endpoint`',
    host: '`endpoint`',
    path: '`prefix`',
    folder: '`prefix`',
    access_key: '`access_key_id`',
    secret_key: '`secret_access_key`',
    force_path_style: '`path_style`',
  },
});

export const backupWords = {
  keep: {
    shape: stanza(keepWords, {
      aliases: {
        daily: '`days`',
        retention: '`days`',
        weeks: '`weekly`',
        months: '`monthly`',
        last: '`verified`',
      },
    }),
    doc: 'Which backups are kept, of each kind: those that any of these words keeps.',
  },
  assets: {
    shape: listOf(absolutePath),
    doc: 'Folders of files that belong to the data. Default: the folder assets of the volume.',
    examples: [['/data/assets']],
  },
  config: {
    shape: listOf(absolutePath),
    doc: 'Files and folders of configuration. Default: the folder config of the volume.',
    examples: [['/data/config', '/etc/bulkhead']],
  },
  recipients: {
    shape: listOf(recipient),
    doc: 'Public keys of age: what is secret is encrypted to them, and without any it is left out.',
  },
  disk_floor: {
    shape: size,
    doc: 'No backup begins when less of the disk would be left free.',
    default: '1g',
  },
  point_in_time: {
    shape: flag,
    doc: 'Keep the write-ahead log as well, so that a restore can go to any moment since a base backup.',
    default: false,
  },
  offsite: { shape: offsite, doc: 'Copies in an S3-compatible store.' },
} as const;

export type BackupsStanza = Stanza<typeof backupWords>;

export const backups = stanza(backupWords, {
  aliases: {
    retention: '`keep`',
    s3: '`offsite`',
    encrypt_to: '`recipients`',
    encryption: '`recipients`',
    pitr: '`point_in_time`',
    min_free: '`disk_floor`',
  },
  deeper: { days: 'keep', weekly: 'keep', monthly: 'keep', bucket: 'offsite', endpoint: 'offsite' },
});

const GIGABYTE = 1024 ** 3;

/** With no stanza at all, every default. */
export function buildBackups(
  read: BackupsStanza | undefined,
  context: { readonly planName: string; readonly dataDir: string; readonly problems: Problems },
): BackupsPlan {
  const { dataDir } = context;
  const { keep } = read ?? {};
  return {
    keep: {
      days: keep?.days ?? keepWords.days.default,
      weekly: keep?.weekly ?? keepWords.weekly.default,
      monthly: keep?.monthly ?? keepWords.monthly.default,
      verified: keep?.verified ?? keepWords.verified.default,
    },
    assets: read?.assets ?? [`${dataDir}/assets`],
    config: read?.config ?? [`${dataDir}/config`],
    recipients: read?.recipients ?? [],
    diskFloor: read?.disk_floor ?? GIGABYTE,
    pointInTime: read?.point_in_time ?? false,
    offsite: read?.offsite && buildOffsite(read.offsite, context),
  };
}

/** Undefined where no bucket is named: a plan may carry the words and leave it to a variable whether they count. */
function buildOffsite(
  read: NonNullable<BackupsStanza['offsite']>,
  { planName, problems }: { readonly planName: string; readonly problems: Problems },
): OffsitePlan | undefined {
  if (read.bucket === undefined) return undefined;
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = read;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = accessKeyId === undefined ? 'access_key_id' : 'secret_access_key';
    return problems.error(
      placeOfWord(read.at, missing),
      'missing-word',
      `backups.offsite needs "${missing}"`,
      { suggestion: 'give both keys of the bucket, or leave bucket empty' },
    );
  }
  return {
    endpoint: read.endpoint,
    region: read.region ?? offsiteWords.region.default,
    bucket: read.bucket,
    prefix: read.prefix ?? planName,
    accessKeyId,
    secretAccessKey,
    pathStyle: read.path_style ?? read.endpoint !== undefined,
  };
}

/** As one would write them; `mask` stands for secrets. */
export function backupLines(plan: BackupsPlan, mask: string): [string, unknown][] {
  const list = (values: readonly string[]): string | undefined =>
    values.length === 0 ? undefined : JSON.stringify(values);
  const { keep, offsite: copies } = plan;
  const keys = copies && {
    endpoint: copies.endpoint,
    region: copies.region,
    bucket: copies.bucket,
    prefix: copies.prefix,
    access_key_id: copies.accessKeyId,
    secret_access_key: copies.secretAccessKey,
    path_style: copies.pathStyle,
  };
  return [
    ...Object.entries(keep).map(([word, value]): [string, unknown] => [`backups.keep.${word}`, value]),
    ['backups.assets', list(plan.assets)],
    ['backups.config', list(plan.config)],
    ['backups.recipients', list(plan.recipients)],
    ['backups.disk_floor', formatSize(plan.diskFloor)],
    ['backups.point_in_time', plan.pointInTime],
    ...Object.entries(keys ?? {}).map(([word, value]): [string, unknown] => [
      `backups.offsite.${word}`,
      isSecretName(word) ? mask : value,
    ]),
  ];
}
