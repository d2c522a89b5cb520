/**
 * The jobs an attempt asks for while it runs. They are added one after another; an attempt that ends well has done so
 * only when all of them are in the queue. Each has an id made from its key, or else from its parent and what it is, so
 * that a second attempt of the parent finds those that the first one added. People who run the parent anew mean its
 * children as well: in each further round they are others.
 */
import { createHash } from 'node:crypto';
import type { AttemptLine, JobsRefusal } from '../../protocol/jobs.ts';
import type { Added } from './adder.ts';
import { type AddRequest, isRefusal } from './check-add.ts';

export type EnqueueLine = Extract<AttemptLine, { type: 'enqueue' }>;

export interface ChildrenOptions {
  readonly parent: string;
  /** Of the parent: 0 first. */
  readonly round: number;
  add(request: AddRequest, scope: string | undefined): Promise<Added | JobsRefusal>;
  /** Resolves after a while. */
  pause(): Promise<void>;
}

/** Of one attempt. */
const MOST = 10_000;
/** Bytes of lines that wait to be added. */
const MOST_WAITING = 16 * 1024 * 1024;

export class Children {
  readonly #options: ChildrenOptions;
  #count = 0;
  /** How many of the same there were, of those without a key. */
  readonly #same = new Map<string, number>();
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();
  #givenUp = false;
  /** The first one that was refused, and why. */
  refused: string | undefined;

  constructor(options: ChildrenOptions) {
    this.#options = options;
  }

  take(line: EnqueueLine): void {
    if (this.refused !== undefined) return;
    this.#count += 1;
    const bytes = JSON.stringify(line).length;
    if (this.#count > MOST) this.#refuse(`it asked for more than ${MOST} jobs`);
    if (this.#waiting + bytes > MOST_WAITING) this.#refuse('it asked for jobs faster than they can be added');
    if (this.refused !== undefined) return;
    const request = this.#requestOf(line);
    this.#waiting += bytes;
    this.#work = this.#work
      .then(() => this.#add(request))
      .then(() => {
        this.#waiting -= bytes;
      });
  }

  /** Resolves to true when all are in the queue, or one was refused; to false when it was given up before. */
  async done(): Promise<boolean> {
    await this.#work;
    return !this.#givenUp;
  }

  giveUp(): void {
    this.#givenUp = true;
  }

  #requestOf({ job, data, idempotencyKey }: EnqueueLine): AddRequest {
    const { parent } = this.#options;
    return {
      op: 'add',
      type: job,
      parent,
      idempotencyKey: idempotencyKey ?? this.#nameOf(job, data),
      ...(data === undefined ? {} : { data }),
    };
  }

  /** By what it is and not by its place: a second attempt may ask in another order, or for fewer. */
  #nameOf(job: string, data: unknown): string {
    const hash = createHash('sha256').update(JSON.stringify([job, data]));
    const digest = hash.digest('hex').slice(0, 32);
    const before = this.#same.get(digest) ?? 0;
    this.#same.set(digest, before + 1);
    return `${this.#options.parent}#${digest}#${before}`;
  }

  async #add(request: AddRequest): Promise<void> {
    const { parent, round, add } = this.#options;
    const scope = round === 0 ? undefined : `${parent}/${round}`;
    while (!this.#givenUp && this.refused === undefined) {
      const answer = await add(request, scope);
      // One of its kind waits or runs already, or one of its key is there: that is what was wanted.
      if (!isRefusal(answer) || answer.code === 'singleton' || answer.code === 'key-reused') return;
      if (answer.code !== 'worker-away') return this.#refuse(`${request.type}: ${answer.message}`);
      await this.#options.pause();
    }
  }

  #refuse(why: string): void {
    this.refused ??= `a job it asked for was refused: ${why}`;
  }
}
