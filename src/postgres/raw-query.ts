/** SQL as bytes over the wire protocol: what a dump holds reaches the server unchanged, whatever its encoding. */
import type pg from 'pg';
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
  /** When it resolves, the memory of `data` may be used again. */
  write(data: Buffer): Promise<void>;
  /** Ends the data; resolves to the rows the server says it took. */
  end(): Promise<number>;
  /** Makes the server give it up. */
  abort(why: Error): void;
}

/** `sql` is the COPY statement; errors of the server come out of the next `write` or `end`. */
export function openCopy(session: Session, sql: Buffer): CopySink {
  const begun = Promise.withResolvers<pg.Connection>();
  const ended = Promise.withResolvers<number>();
  // Whoever writes next is told; nobody may be waiting right now.
  begun.promise.catch(() => undefined);
  ended.promise.catch(() => undefined);
  let failure: Error | undefined;
  let rows = 0;
  const fail = (error: Error): void => {
    failure ??= error;
    begun.reject(error);
    ended.reject(error);
  };
  const query: RawQuery = {
    submit: (connection) => sendQuery(connection, sql),
    handleRowDescription: () => undefined,
    handleDataRow: () => undefined,
    handleEmptyQuery: () => undefined,
    handleCopyData: () => undefined,
    handleCopyInResponse: (connection) => begun.resolve(connection),
    handleCommandComplete: ({ text }) => {
      rows = Number(/^COPY (\d+)$/.exec(text)?.[1] ?? 0);
    },
    handleError: fail,
    handleReadyForQuery: () => {
      // Some statements need no data after all, e.g. a COPY that a rule made into something else.
      begun.reject(new Error('the server took no data for this COPY'));
      ended.resolve(rows);
    },
  };
  session.query(query);
  /** A message: its letter, the length of what follows with itself, the body. */
  const send = async (letter: number, body: Buffer): Promise<void> => {
    const { stream } = await begun.promise;
    if (failure) throw failure;
    const header = Buffer.allocUnsafe(5);
    header[0] = letter;
    header.writeUInt32BE(body.length + 4, 1);
    await new Promise<void>((resolve, reject) => {
      stream.cork();
      stream.write(header);
      stream.write(body, (error) => (error ? reject(failure ?? error) : resolve()));
      stream.uncork();
    });
    if (failure) throw failure;
  };
  return {
    write: (data) => send(COPY_DATA, data),
    end: async () => {
      await send(COPY_DONE, NOTHING);
      return ended.promise;
    },
    abort: (why) => void send(COPY_FAIL, Buffer.from(`${why.message}\0`)).catch(() => undefined),
  };
}

const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
const COPY_FAIL = 0x66;
const NOTHING = Buffer.alloc(0);

/** What the types of pg leave out. */
interface CopyConnection extends pg.Connection {
  sendCopyFail(message: string): void;
}

interface RawQuery extends pg.Submittable {
  handleRowDescription(): void;
  handleDataRow(): void;
  handleEmptyQuery(): void;
  handleCopyData(): void;
  handleCopyInResponse(connection: CopyConnection): void;
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
