/** SQL as bytes over the wire protocol: what a dump holds reaches the server unchanged, whatever its encoding. */
import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Session } from './connect.ts';

/** Runs one or more statements (simple query protocol). Resolves to the rows the INSERTs of it wrote. */
export function runBytes(session: Session, sql: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let inserted = 0;
    let failure: Error | undefined;
    // The shape that pg's client calls; unlike pg.Query it keeps no rows and sends bytes.
    const query: RawQuery = {
      submit: (connection) => sendQuery(connection, sql),
      handleRowDescription: () => undefined,
      handleDataRow: () => undefined,
      handleEmptyQuery: () => undefined,
      handleCopyData: () => undefined,
      // The splitter knows every COPY that wants data; one it does not know must not wait for ever.
      handleCopyInResponse: (connection) => connection.sendCopyFail('bulkhead found no data for this COPY'),
      handleCommandComplete: ({ text }) => {
        inserted += Number(/^INSERT \d+ (\d+)$/.exec(text)?.[1] ?? 0);
      },
      handleError: (error) => {
        failure = error;
        // After an error of the connection no ReadyForQuery comes.
        if (!('severity' in error)) reject(error);
        else queueMicrotask(() => reject(error));
      },
      handleReadyForQuery: () => (failure ? reject(failure) : resolve(inserted)),
    };
    session.query(query);
  });
}

/** The data side of `COPY … FROM stdin`. */
export interface CopySink {
  write(data: Buffer): Promise<void>;
  /** Ends the data; resolves to the rows the server says it took. */
  end(): Promise<number>;
  /** Makes the server give it up. */
  abort(why: Error): void;
}

/** `sql` is the COPY statement; errors of the server come out of the next `write` or `end`. */
export function openCopy(session: Session, sql: Buffer): CopySink {
  const stream = copyFrom('');
  stream.submit = (connection) => {
    Object.assign(stream, { connection });
    sendQuery(connection, sql);
  };
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
  });
  session.query(stream);
  return {
    write: async (data) => {
      if (failure) throw failure;
      // once() rejects on 'error', so a COPY that fails never waits for a drain.
      if (!stream.write(data)) await once(stream, 'drain');
    },
    end: async () => {
      if (failure) throw failure;
      const finished = once(stream, 'finish');
      stream.end();
      await finished;
      return stream.rowCount;
    },
    abort: (why) => stream.destroy(why),
  };
}

interface RawQuery extends pg.Submittable {
  handleRowDescription(): void;
  handleDataRow(): void;
  handleEmptyQuery(): void;
  handleCopyData(): void;
  handleCopyInResponse(connection: { sendCopyFail(message: string): void }): void;
  handleCommandComplete(message: { readonly text: string }): void;
  handleError(error: Error): void;
  handleReadyForQuery(): void;
}

/** A Query message: 'Q', the length of what follows with itself, the text, a zero byte. */
function sendQuery(connection: pg.Connection, sql: Buffer): void {
  const message = Buffer.allocUnsafe(sql.length + 6);
  message[0] = 0x51;
  message.writeUInt32BE(sql.length + 5, 1);
  sql.copy(message, 5);
  message[message.length - 1] = 0;
  connection.stream.write(message);
}
