import { type DestinationStream, destination, pino } from 'pino';

export interface ProgramLog {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/**
 * The log of one of our child programs: pino's records on standard error, written at once, so that the last words
 * before a crash are there. PID 1 knows them by their fields: it shows them as text, or adds the service and passes
 * them on. PID 1 itself does not load pino; it would cost it 6 ms and 1.1 MB for the few lines it writes.
 */
export function openProgramLog(stream: DestinationStream = destination({ fd: 2, sync: true })): ProgramLog {
  // Whose process it is PID 1 knows and says; pid and hostname in each line would only repeat it.
  const log = pino({ base: null }, stream);
  return {
    info: (text) => log.info(text),
    warn: (text) => log.warn(text),
    error: (text) => log.error(text),
  };
}
