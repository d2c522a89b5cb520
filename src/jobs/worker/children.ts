/**
 * The jobs an attempt asks for while it runs. They are added one after another; an attempt that ends well has done so
 * only when all of them are in the queue. Each has an id made from its parent and its place, so that a second attempt of
 * the parent finds those that the first one added.
 */
import type { AttemptLine, JobsRefusal } from '../../protocol/jobs.ts';
import type { Added } from './adder.ts';
import { type AddRequest, isRefusal } from './check-add.ts';

export type EnqueueLine = Extract<AttemptLine, { type: 'enqueue' }>;

export interface ChildrenOptions {
  readonly parent: string;
  add(request: AddRequest): Promise<Added | JobsRefusal>;
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
  #unnamed = 0;
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
    const place = this.#unnamed;
    if (idempotencyKey === undefined) this.#unnamed += 1;
    return {
      op: 'add',
      type: job,
      parent,
      idempotencyKey: idempotencyKey ?? `${parent}#${place}`,
      ...(data === undefined ? {} : { data }),
    };
  }

  async #add(request: AddRequest): Promise<void> {
    while (!this.#givenUp && this.refused === undefined) {
      const answer = await this.#options.add(request);
      // One of its kind waits or runs already: that is what was wanted.
      if (!isRefusal(answer) || answer.code === 'singleton') return;
      if (answer.code !== 'worker-away') return this.#refuse(`${request.type}: ${answer.message}`);
      await this.#options.pause();
    }
  }

  #refuse(why: string): void {
    this.refused ??= `a job it asked for was refused: ${why}`;
  }
}
