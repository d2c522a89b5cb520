/** What a store or the way to it says, as a Failure that holds no secret. */
import { codeOf, Failure, messageOf } from '../../base/errors.ts';
import type { OffsitePlan } from '../../config/plan.ts';
import { hideSecrets } from '../../config/secrets.ts';

interface StoreError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

export function isMissing(error: unknown): boolean {
  return (
    nameOf(error) === 'NoSuchKey' ||
    nameOf(error) === 'NotFound' ||
    (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket')
  );
}

export function explainStoreError(what: string, error: unknown, plan: OffsitePlan): Failure {
  if (error instanceof Failure) return error;
  const said = hideSecrets(messageOf(error) || nameOf(error), [plan.secretAccessKey]);
  return new Failure(`cannot ${what}: ${said}`, {
    code: 'offsite',
    remedy: remedyOf(error, plan),
    cause: undefined,
  });
}

function remedyOf(error: unknown, plan: OffsitePlan): string {
  const name = nameOf(error);
  if (
    ['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'AccessDenied', 'Forbidden'].includes(name) ||
    statusOf(error) === 403
  ) {
    return 'check access_key_id and secret_access_key of backups.offsite, and that they may read, list, write and delete in the bucket';
  }
  if (name === 'NoSuchBucket')
    return `make the bucket ${plan.bucket}, or name the right one in backups.offsite`;
  if (name === 'PermanentRedirect' || name === 'AuthorizationHeaderMalformed') {
    return 'set the region of the bucket in backups.offsite';
  }
  if (codeOf(error) === 'ENOTFOUND' || codeOf(error) === 'ECONNREFUSED') {
    return `see that ${plan.endpoint ?? 'the store'} can be reached from here; the next backup tries again`;
  }
  return 'the backup itself is on this volume; the next one copies what is missing';
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as StoreError).$metadata?.httpStatusCode : undefined;
}
