import { explainConnection, openConnection, type Target } from './probe-tcp.ts';

/** A user no server has: any server asks it for a password, writes nothing into its log and forgets it. */
const USER = 'bulkhead_probe';
const AUTHENTICATION = 0x52; // 'R'
const ERROR = 0x45; // 'E'
/** SQLSTATE cannot_connect_now: starting up, shutting down, in recovery. */
const CANNOT_CONNECT_NOW = '57P03';
const LONGEST_MESSAGE = 8192;

/**
 * pg_isready's question, with its answers (libpq's internal_ping): whoever asks for a password is up, and so is who
 * refuses for any reason but "cannot connect now". A folder as host means the socket in it.
 * Resolves with why it is not well, or undefined.
 */
export function askPostgres(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  const target: Target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  return new Promise((resolve) => {
    const socket = openConnection(target, signal);
    let received = Buffer.alloc(0);
    const settle = (answer: string | undefined): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.on('connect', () => socket.write(startupPacket()));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const type = received[0];
      if (type === AUTHENTICATION) return settle(undefined);
      if (type !== ERROR) return settle('what answers there is not PostgreSQL');
      if (received.length < 5) return;
      const end = 1 + received.readInt32BE(1);
      if (received.length >= end || received.length > LONGEST_MESSAGE)
        settle(readRefusal(received.subarray(5, end)));
    });
    socket.on('error', (error) => settle(explainConnection(error, target)));
    socket.on('close', () => resolve('the connection was closed without an answer'));
  });
}

/** Protocol 3.0: length, version, then pairs of texts and a final zero. */
function startupPacket(): Buffer {
  const body = Buffer.from(
    `\0\x03\0\0user\0${USER}\0database\0postgres\0application_name\0${USER}\0\0`,
    'latin1',
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
}

/** Fields of an ErrorResponse: a letter, a text, a zero. C is the SQLSTATE, M the message. */
function readRefusal(fields: Buffer): string | undefined {
  const texts = fields.toString('utf8').split('\0');
  const code = texts.find((text) => text.startsWith('C'))?.slice(1);
  const message = texts.find((text) => text.startsWith('M'))?.slice(1);
  if (code === CANNOT_CONNECT_NOW) return message ?? 'it does not accept connections now';
  return undefined;
}
