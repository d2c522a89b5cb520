/**
 * An S3-compatible store. Loaded only where one is configured: the client takes a tenth of a second.
 *
 * Whatever goes up is in memory as a whole, a part of a large file at a time, so that every try can be repeated; its
 * MD5 goes with it, which all stores check. The trailing checksums that newer clients add by themselves are off: many
 * stores do not know them.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { OffsitePlan } from '../../config/plan.ts';
import { explainStoreError, isMissing } from './explain.ts';
import { inLanes } from './lanes.ts';
import type { Store, StoredObject, Upload } from './store.ts';

/** Bytes. S3 allows 10,000 parts of at least 5 MB. */
const PART = 8 * 1024 ** 2;
const MOST_PARTS = 9_000;
/** Parts under way at a time, each in memory. */
const LANES = 4;
/** Each request, with the client's own growing waits between. */
const TRIES = 4;
const CONNECT_MS = 10_000;
/** Silence of the store, not the length of a request. */
const SILENCE_MS = 60_000;

export function openS3Store(plan: OffsitePlan, signal: AbortSignal): Store {
  const client = new S3Client({
    ...(plan.endpoint === undefined ? {} : { endpoint: plan.endpoint }),
    region: plan.region,
    forcePathStyle: plan.pathStyle,
    credentials: { accessKeyId: plan.accessKeyId, secretAccessKey: plan.secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: TRIES,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: SILENCE_MS,
      throwOnRequestTimeout: true,
    },
  });
  return new S3Store(client, plan, signal);
}

class S3Store implements Store {
  readonly where: string;
  private readonly client: S3Client;
  private readonly plan: OffsitePlan;
  private readonly signal: AbortSignal;

  constructor(client: S3Client, plan: OffsitePlan, signal: AbortSignal) {
    this.client = client;
    this.plan = plan;
    this.signal = signal;
    this.where = `s3://${plan.bucket}/${plan.prefix}`;
  }

  async putFile(key: string, path: string, upload: Upload): Promise<void> {
    await this.do(`copy ${key} to ${this.where}`, async () => {
      if (upload.size <= PART) await this.putWhole(key, path, upload);
      else await this.putInParts(key, path, upload);
    });
  }

  putText(key: string, text: string): Promise<void> {
    return this.do(`copy ${key} to ${this.where}`, async () => {
      const body = Buffer.from(text);
      await this.client.send(
        new PutObjectCommand({ ...this.object(key), Body: body, ContentMD5: md5(body) }),
        this.stop,
      );
    });
  }

  head(key: string): Promise<{ readonly size: number; readonly sha256: string | undefined } | undefined> {
    return this.do(`look for ${key} in ${this.where}`, async () => {
      try {
        const found = await this.client.send(new HeadObjectCommand(this.object(key)), this.stop);
        return { size: found.ContentLength ?? 0, sha256: found.Metadata?.sha256 };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async *list(folder: string): AsyncGenerator<StoredObject> {
    const skip = this.plan.prefix.length + 1;
    for await (const page of this.pages(folder)) {
      for (const { Key: key = '', Size: size = 0 } of page.Contents ?? [])
        yield { key: key.slice(skip), size };
    }
  }

  async listFolders(folder: string): Promise<readonly string[]> {
    const folders: string[] = [];
    for await (const page of this.pages(folder, '/')) {
      for (const { Prefix: prefix = '' } of page.CommonPrefixes ?? []) {
        folders.push(prefix.split('/').at(-2) ?? '');
      }
    }
    return folders;
  }

  getText(key: string): Promise<string | undefined> {
    return this.do(`read ${key} from ${this.where}`, async () => {
      try {
        const found = await this.client.send(new GetObjectCommand(this.object(key)), this.stop);
        return await found.Body?.transformToString();
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array>> {
    const what = `read ${key} from ${this.where}`;
    const found = await this.do(what, () =>
      this.client.send(new GetObjectCommand(this.object(key)), this.stop),
    );
    // On Node it is a Readable.
    return this.follow(what, found.Body as unknown as AsyncIterable<Uint8Array>);
  }

  async remove(keys: readonly string[]): Promise<void> {
    // One by one: not every store knows the request that takes many.
    await inLanes(keys, LANES, (key) =>
      this.do(`remove ${key} from ${this.where}`, async () => {
        await this.client.send(new DeleteObjectCommand(this.object(key)), this.stop);
      }),
    );
  }

  close(): void {
    this.client.destroy();
  }

  private async putWhole(key: string, path: string, { size, sha256 }: Upload): Promise<void> {
    const file = await open(path, 'r');
    try {
      const body = await readPart(file, 0, size);
      await this.client.send(
        new PutObjectCommand({
          ...this.object(key),
          Body: body,
          ContentMD5: md5(body),
          Metadata: { sha256 },
        }),
        this.stop,
      );
    } finally {
      await file.close();
    }
  }

  private async putInParts(key: string, path: string, { size, sha256 }: Upload): Promise<void> {
    const partSize = Math.max(PART, Math.ceil(size / MOST_PARTS));
    const numbers = Array.from({ length: Math.ceil(size / partSize) }, (_, index) => index + 1);
    const object = this.object(key);
    const begun = await this.client.send(
      new CreateMultipartUploadCommand({ ...object, Metadata: { sha256 } }),
      this.stop,
    );
    const upload = { ...object, UploadId: begun.UploadId };
    const file = await open(path, 'r');
    try {
      const parts = await inLanes(numbers, LANES, async (number) => {
        const from = (number - 1) * partSize;
        const body = await readPart(file, from, Math.min(partSize, size - from));
        const part = { ...upload, PartNumber: number, Body: body, ContentMD5: md5(body) };
        const { ETag } = await this.client.send(new UploadPartCommand(part), this.stop);
        return { ETag, PartNumber: number };
      });
      await this.client.send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }),
        this.stop,
      );
    } catch (error) {
      // Parts of what was never completed cost money, and no listing shows them.
      await this.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
  }

  private async *pages(folder: string, delimiter?: string) {
    for (let token: string | undefined, more = true; more; ) {
      const page = await this.do(`list ${folder} in ${this.where}`, () =>
        this.client.send(
          new ListObjectsV2Command({
            Bucket: this.plan.bucket,
            Prefix: `${this.plan.prefix}/${folder}/`,
            ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
          this.stop,
        ),
      );
      yield page;
      token = page.NextContinuationToken;
      more = page.IsTruncated === true && token !== undefined;
    }
  }

  private async *follow(what: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.explain(what, error);
    }
  }

  private async do<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw this.explain(what, error);
    }
  }

  private explain(what: string, error: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : explainStoreError(what, error, this.plan);
  }

  private object(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.plan.bucket, Key: `${this.plan.prefix}/${key}` };
  }

  private get stop(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: this.signal };
  }
}

async function readPart(file: Awaited<ReturnType<typeof open>>, from: number, size: number): Promise<Buffer> {
  const part = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await file.read(part, at, size - at, from + at);
    if (bytesRead === 0) throw new Error('the file became shorter while it was copied');
    at += bytesRead;
  }
  return part;
}

function md5(body: Buffer): string {
  return createHash('md5').update(body).digest('base64');
}
