/** How far a pg_dump is. */
import type { Server } from '../postgres/connect.ts';
import type { Job } from '../program/job.ts';
import { tellBytes } from './byte-progress.ts';
import { connectToDump } from './dump-login.ts';

/** What --verbose says when the rows of a table begin: `dumping contents of table "public.tools"`. */
const TABLE_BEGINS = /dumping contents of table "(.*)"$/;
const LOOK_EVERY_MS = 500;

export interface Watched {
  readonly database: { readonly name: string };
  /** Bytes of each table by its name, as pg_dump says it: without quotes. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** Told by tables, and inside of a large one by what the server says of the COPY. */
export async function watchTables(
  job: Job,
  server: Server,
  { database, sizes }: Watched,
): Promise<{ readonly line: (line: string) => void; done(): void; end(): Promise<void> }> {
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const tell = tellBytes(`dumping ${database.name}`, total, job.report);
  let done = 0;
  let current = 0;
  const session = await connectToDump(server, database.name);
  const look = (): void => {
    session
      .query<{ bytes: string }>(
        `SELECT coalesce(sum(bytes_processed), 0) AS bytes FROM pg_catalog.pg_stat_progress_copy
          WHERE command = 'COPY TO' AND datname = $1`,
        [database.name],
      )
      .then(({ rows }) => tell(done + Math.min(current, Number(rows[0]?.bytes))))
      .catch(() => undefined);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  return {
    line: (line) => {
      const name = TABLE_BEGINS.exec(line)?.[1];
      if (name === undefined) return;
      done += current;
      current = sizes.get(name) ?? 0;
      tell(done);
    },
    done: () => tell(total),
    end: async () => {
      clearInterval(timer);
      await session.end();
    },
  };
}
