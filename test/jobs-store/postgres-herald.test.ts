/** The session that listens, with a server that goes silent: nobody waits for it. */
import { EventEmitter } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { PostgresHerald } from '../../src/jobs/stores/postgres-herald.ts';

type Open = ConstructorParameters<typeof PostgresHerald>[0];
type Session = Awaited<ReturnType<Open>>;

const pool = { query: () => Promise.reject(new Error('nobody is there')) };

afterEach(() => {
  vi.useRealTimers();
});

/** It was opened, and answers nothing. */
class SilentSession extends EventEmitter {
  readonly processID = 1;
  isDropped = false;
  readonly asked = Promise.withResolvers<void>();
  readonly connection = {
    stream: {
      destroy: () => {
        this.isDropped = true;
      },
    },
  };

  query(): Promise<never> {
    this.asked.resolve();
    return new Promise(() => undefined);
  }

  end(): Promise<void> {
    return Promise.resolve();
  }
}

const asSession = (session: SilentSession): Session => session as unknown as Session;

test('that is closed while its session is being opened does not wait for it, and drops what still comes', async () => {
  const opening = Promise.withResolvers<Session>();
  const herald = new PostgresHerald(() => opening.promise, pool);
  herald.nextWord();
  await herald.close();
  const session = new SilentSession();
  opening.resolve(asSession(session));
  await opening.promise;
  await vi.waitFor(() => expect(session.isDropped).toBe(true));
});

test('that is closed while its session answers nothing drops it', async () => {
  const session = new SilentSession();
  const herald = new PostgresHerald(() => Promise.resolve(asSession(session)), pool);
  herald.nextWord();
  await session.asked.promise;
  await herald.close();
  await vi.waitFor(() => expect(session.isDropped).toBe(true));
});

test('whose session answers nothing for ten seconds drops it, and opens another with the next beat', async () => {
  vi.useFakeTimers();
  const sessions: SilentSession[] = [];
  const herald = new PostgresHerald(() => {
    const session = new SilentSession();
    sessions.push(session);
    return Promise.resolve(asSession(session));
  }, pool);
  herald.nextWord();
  await vi.advanceTimersByTimeAsync(9_999);
  herald.nextWord();
  expect(sessions.map(({ isDropped }) => isDropped)).toEqual([false]);
  await vi.advanceTimersByTimeAsync(1);
  herald.nextWord();
  expect(sessions.map(({ isDropped }) => isDropped)).toEqual([true, false]);
  await herald.close();
});
