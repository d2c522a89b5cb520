/**
 * A few sessions kept open with a server that may go away at any moment. Whoever asks gets an answer or an error within
 * the deadline: a session that broke, did not answer or complained is thrown away and never handed out again, so that the
 * first question after the server's return opens a new one.
 */
import type pg from 'pg';
import { Failure } from '../base/errors.ts';

/** Idle for longer than this, a session is ended when another is given back. */
const IDLE_MS = 60_000;

export interface PoolOptions {
  readonly open: () => Promise<pg.Client>;
  readonly most: number;
  /** For one piece of work, the connecting included. */
  readonly deadlineMs: number;
}

export type Ask = <Row extends pg.QueryResultRow>(
  text: string,
  values?: readonly unknown[],
) => Promise<pg.QueryResult<Row>>;

interface Idle {
  readonly session: pg.Client;
  readonly since: number;
}

interface Waiter {
  readonly take: (session: pg.Client) => void;
  readonly retry: () => void;
}

export class SessionPool {
  readonly #options: PoolOptions;
  readonly #broken = new WeakSet<pg.Client>();
  #idle: Idle[] = [];
  #waiting: Waiter[] = [];
  #count = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  query: Ask = (text, values) => this.within((ask) => ask(text, values));

  /** Questions of one session, one after the other. */
  async within<T>(work: (ask: Ask) => Promise<T>, deadlineMs = this.#options.deadlineMs): Promise<T> {
    const end = performance.now() + deadlineMs;
    const session = await this.#take(end);
    const ask: Ask = (text, values) => session.query(text, values as unknown[] | undefined);
    try {
      const result = await inTime(work(ask), end);
      this.#giveBack(session);
      return result;
    } catch (error) {
      // It may be broken, still at work, or in a transaction that failed; a new one is none of these.
      this.#drop(session);
      throw error;
    }
  }

  /** All of it or nothing. */
  transaction<T>(work: (ask: Ask) => Promise<T>, deadlineMs?: number): Promise<T> {
    return this.within(async (ask) => {
      await ask('BEGIN');
      try {
        const result = await work(ask);
        await ask('COMMIT');
        return result;
      } catch (error) {
        await ask('ROLLBACK').catch(() => undefined);
        throw error;
      }
    }, deadlineMs);
  }

  /** What is being asked still gets its answer. Never throws. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = this.#idle.splice(0);
    for (const { retry } of this.#waiting.splice(0)) retry();
    await Promise.all(idle.map(({ session }) => this.#end(session)));
  }

  async #take(end: number): Promise<pg.Client> {
    for (;;) {
      if (this.#closed)
        throw new Failure('cannot ask the server: its sessions are closed', { code: 'closed' });
      const idle = this.#idle.pop();
      if (idle) return idle.session;
      if (this.#count < this.#options.most) return this.#open(end);
      const session = await this.#wait(end);
      if (session) return session;
    }
  }

  async #open(end: number): Promise<pg.Client> {
    this.#count += 1;
    const opening = this.#options.open();
    try {
      const session = await inTime(opening, end);
      const lost = (): void => {
        this.#broken.add(session);
        const before = this.#idle.length;
        this.#idle = this.#idle.filter((idle) => idle.session !== session);
        if (this.#idle.length < before) this.#freed();
      };
      session.on('error', lost);
      session.on('end', lost);
      return session;
    } catch (error) {
      // It may still come.
      opening.then(kill, () => undefined);
      this.#freed();
      throw error;
    }
  }

  /** Undefined: there may be room now. */
  async #wait(end: number): Promise<pg.Client | undefined> {
    let waiter: Waiter | undefined;
    const turn = new Promise<pg.Client | undefined>((resolve) => {
      waiter = { take: resolve, retry: () => resolve(undefined) };
      this.#waiting.push(waiter);
    });
    try {
      return await inTime(turn, end);
    } catch (error) {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      throw error;
    }
  }

  #giveBack(session: pg.Client): void {
    if (this.#closed || this.#broken.has(session)) {
      this.#drop(session);
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter) {
      waiter.take(session);
      return;
    }
    const now = performance.now();
    this.#idle.push({ session, since: now });
    const [oldest] = this.#idle;
    if (oldest && oldest.since < now - IDLE_MS) {
      this.#idle.shift();
      void this.#end(oldest.session);
    }
  }

  #drop(session: pg.Client): void {
    this.#broken.add(session);
    kill(session);
    this.#freed();
  }

  async #end(session: pg.Client): Promise<void> {
    this.#broken.add(session);
    this.#freed();
    await inTime(session.end(), performance.now() + 1000).catch(() => kill(session));
  }

  #freed(): void {
    this.#count -= 1;
    this.#waiting.shift()?.retry();
  }
}

/** Whatever it is doing; a query that waits is rejected. */
function kill(session: pg.Client): void {
  session.connection.stream.destroy();
  session.end().catch(() => undefined);
}

function inTime<T>(work: Promise<T>, end: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const ms = Math.max(1, end - performance.now());
    const timer = setTimeout(
      () => reject(new Failure('it did not answer in time', { code: 'ETIMEDOUT' })),
      ms,
    );
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
