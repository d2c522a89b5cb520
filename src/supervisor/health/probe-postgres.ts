import type { Busy } from './ports.ts';
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
 * Resolves with why it is not well, or undefined. One that starts or recovers is busy; one that stops is not well.
 */
export async function askPostgres(
  host: string,
  port: number,
  signal: AbortSignal,
  readFile: (path: string) => string | undefined = () => undefined,
): Promise<string | Busy | undefined> {
  const known = host.startsWith('/') ? readPhase(`${host}/.s.PGSQL.${port}.lock`, readFile) : undefined;
  if (known !== undefined) return refusalOf(known);
  const target: Target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  return new Promise((resolve) => {
    const socket = openConnection(target, signal);
    let received = Buffer.alloc(0);
    const settle = (answer: string | Busy | undefined): void => {
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

/** PM_STATUS_… of PostgreSQL's pidfile.h, in the words of its own refusals. */
const NOT_YET: Readonly<Record<string, string>> = {
  starting: 'the database system is starting up',
  stopping: 'the database system is shutting down',
};

/**
 * A server that is starting would refuse us and write a FATAL line into its log for every time we ask, so what it says
 * of itself comes first: line 8 of its postmaster.pid, in the folder that line 2 of the socket's lock file names.
 * Undefined: it does not say, or says that it is there; then it is asked.
 */
function readPhase(lock: string, readFile: (path: string) => string | undefined): string | undefined {
  const folder = readFile(lock)?.split('\n')[1];
  if (!folder?.startsWith('/')) return undefined;
  const text = readFile(`${folder}/postmaster.pid`);
  if (text === undefined) return undefined;
  // It listens a moment before it writes that line, which every server since PostgreSQL 10 does.
  const phase = text.split('\n')[7]?.trim() || 'starting';
  return Object.hasOwn(NOT_YET, phase) ? NOT_YET[phase] : undefined;
}

/** SSLRequest: its length, and a version no server has. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Whether a server that shall be asked for encryption first is there. One byte says it: S or N, before any
 * certificate or user; who goes away after it leaves no line in the server's log (postmaster.c, ProcessStartupPacket).
 * More would need TLS in PID 1. Resolves with why it is not well, or undefined.
 */
export function askForTls(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = openConnection({ host, port }, signal);
    const settle = (answer: string | undefined): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.on('connect', () => socket.write(SSL_REQUEST));
    socket.on('data', (chunk) => {
      const isKnown = chunk[0] === 0x53 || chunk[0] === 0x4e || chunk[0] === ERROR;
      settle(isKnown ? undefined : 'what answers there is not PostgreSQL');
    });
    socket.on('error', (error) => settle(explainConnection(error, { host, port })));
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
function readRefusal(fields: Buffer): string | Busy | undefined {
  const texts = fields.toString('utf8').split('\0');
  const code = texts.find((text) => text.startsWith('C'))?.slice(1);
  const message = texts.find((text) => text.startsWith('M'))?.slice(1);
  if (code !== CANNOT_CONNECT_NOW) return undefined;
  return refusalOf(message ?? 'it does not accept connections now');
}

function refusalOf(why: string): string | Busy {
  if (why.endsWith('shutting down')) return why;
  return { busy: why.endsWith('recovery mode') ? `recovering: ${why}` : why };
}
