/**
 * How far a listener has come, as the `id` of what it is sent: it comes back with it as Last-Event-ID. Events have their
 * number; lines of logs one that counts from when we began to follow them (`epoch`), and their time for when we begin anew:
 * `123`, or with logs `123/k3f9x.4567.1763733600123`.
 */
export interface Position {
  /** Number of the last event; undefined: none was seen. */
  readonly event: number | undefined;
  readonly log: LogPosition | undefined;
}

export interface LogPosition {
  readonly epoch: string;
  readonly number: number;
  /** ms since the epoch of the last line. */
  readonly time: number;
}

const POSITION = /^(\d{1,15})?(?:\/(\w{1,16})\.(\d{1,15})\.(\d{1,15}))?$/;

/** Undefined: it is none of ours. */
export function readPosition(id: string): Position | undefined {
  const match = POSITION.exec(id);
  if (match === null || id === '') return undefined;
  const [, event, epoch, number, time] = match;
  return {
    event: event === undefined ? undefined : Number(event),
    log: epoch === undefined ? undefined : { epoch, number: Number(number), time: Number(time) },
  };
}

export function writePosition({ event, log }: Position): string {
  const ofLog = log === undefined ? '' : `/${log.epoch}.${log.number}.${log.time}`;
  return `${event ?? ''}${ofLog}`;
}
