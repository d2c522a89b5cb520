/**
 * Hears in PostgreSQL what other workers do, by a session that listens (LISTEN, and a trigger that notifies).
 *
 * Such a session may be deaf and not know it: a pooler gives its backend away, a network forgets it. So nobody believes
 * it: with each beat of the worker a word goes out by another session, and only while the last word came back does it
 * count as heard. It is opened, and opened again, with a beat.
 */
import { randomUUID } from 'node:crypto';
import type { PoolOptions, SessionPool } from '../../postgres/session-pool.ts';
import type { Herald } from '../store.ts';
import * as sql from './postgres-sql.ts';

type Session = Awaited<ReturnType<PoolOptions['open']>>;

/** A word that is not back by then is lost. */
const ECHO_MS = 2000;
/** A session that does not listen by then is dropped. */
const LISTEN_MS = 10_000;
/** So many sessions that hear nothing are no accident. */
const MOST_IN_VAIN = 3;
/** Words of workers begin so; a job that waits has none. */
const MARK = '#';

export class PostgresHerald implements Herald {
  readonly #open: PoolOptions['open'];
  readonly #pool: Pick<SessionPool, 'query'>;
  #ring: () => void = () => undefined;
  #session: Session | undefined;
  #opening: Promise<void> | undefined;
  /** Of the session that is being opened: nobody waits for it any more. */
  #giveUp = new AbortController();
  /** Behind a pooler: it would be in vain each time. */
  #isDeaf = false;
  /** Sessions in a row that heard nothing. */
  #inVain = 0;
  #isProven = false;
  /** The word that is on its way, since when; monotonic ms. */
  #asked: { readonly word: string; readonly at: number } | undefined;
  #closed = false;
  /** When the last claim looked, by the server's clock, in µs. */
  #claimedUs: string | undefined;

  constructor(open: PoolOptions['open'], pool: Pick<SessionPool, 'query'>) {
    this.#open = open;
    this.#pool = pool;
  }

  get isHeard(): boolean {
    return this.#session !== undefined && this.#isProven && !this.#isLost;
  }

  onRing(ring: () => void): void {
    this.#ring = ring;
  }

  /** A claim has looked, at that time of the server's. */
  claimed(us: string | undefined): void {
    this.#claimedUs = us;
  }

  async untilDue(types: readonly string[]): Promise<number | undefined> {
    const values = [types, this.#claimedUs ?? null];
    const { rows } = await this.#pool.query<{ ms: number | null }>(sql.UNTIL_DUE, values);
    return rows[0]?.ms ?? undefined;
  }

  /** The word that the next beat is to say; listens from then on, if it does not yet. */
  nextWord(): string {
    if (this.#isLost) {
      this.#inVain += 1;
      this.#isDeaf ||= this.#inVain >= MOST_IN_VAIN;
      const session = this.#session;
      this.#lose();
      if (session) drop(session);
    }
    if (this.#session === undefined && !this.#isDeaf && !this.#closed)
      this.#opening ??= this.#listen().finally(() => {
        this.#opening = undefined;
      });
    if (this.#session !== undefined) this.#asked ??= newWord();
    return this.#asked?.word ?? MARK;
  }

  get #isLost(): boolean {
    return this.#asked !== undefined && performance.now() - this.#asked.at > ECHO_MS;
  }

  /** Waits for no server. Never throws. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#giveUp.abort();
    await this.#opening;
    const session = this.#session;
    this.#lose();
    if (session) drop(session);
  }

  /** What it cannot is tried again with the next beat; until then others look for themselves. */
  async #listen(): Promise<void> {
    const giveUp = new AbortController();
    this.#giveUp = giveUp;
    const timer = setTimeout(() => giveUp.abort(), LISTEN_MS);
    const opening = this.#open();
    try {
      const session = await unless(giveUp.signal, opening);
      const lost = (): void => {
        if (this.#session === session) this.#lose();
      };
      session.on('error', lost);
      session.on('end', lost);
      session.on('notification', ({ payload = '' }) => this.#hear(payload));
      const { rows } = await unless(giveUp.signal, session.query<{ pid: number }>(sql.BACKEND));
      this.#isDeaf = rows[0]?.pid !== (session as { readonly processID?: number | null }).processID;
      if (this.#isDeaf) throw new Error('nothing would be heard');
      await unless(giveUp.signal, session.query(sql.LISTEN));
      this.#session = session;
      this.#asked = newWord();
      await unless(giveUp.signal, this.#pool.query(sql.SAY, [this.#asked.word]));
    } catch {
      this.#lose();
      // It may still come.
      opening.then(drop, () => undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  #hear(word: string): void {
    if (!word.startsWith(MARK)) this.#ring();
    else if (word === this.#asked?.word) {
      this.#asked = undefined;
      this.#isProven = true;
      this.#inVain = 0;
    }
  }

  /** Whoever rests until it rings looks for himself from now on. */
  #lose(): void {
    const wasHeard = this.#isProven;
    this.#session = undefined;
    this.#isProven = false;
    this.#asked = undefined;
    if (wasHeard && !this.#closed) this.#ring();
  }
}

function newWord(): { readonly word: string; readonly at: number } {
  return { word: `${MARK}${randomUUID()}`, at: performance.now() };
}

/** What `work` brings; throws as soon as it is given up, whatever becomes of it. */
function unless<T>(givenUp: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(resolve, reject);
    givenUp.addEventListener('abort', () => reject(givenUp.reason), { once: true });
    if (givenUp.aborted) reject(givenUp.reason);
  });
}

/** It asks nothing that anybody waits for. */
function drop(session: Session): void {
  session.end().catch(() => undefined);
  session.connection.stream.destroy();
}
