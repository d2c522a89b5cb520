import { closeSync, openSync } from 'node:fs';

export interface SignalHandlers {
  /**
   * TERM or INT, or HUP because our terminal has gone. `times` is 1 for the first of them; a person who asks again
   * wants it to go faster.
   */
  terminate(signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', times: number): void;
  /** HUP, as somebody sends it. */
  reload(): void;
  /** USR2: open the log files anew. */
  reopen(): void;
}

/** Ctrl-C under npm arrives twice: from the terminal, and once more from npm, which passes it on. */
const ONE_PRESS_MS = 250;

/**
 * Listens to the signals the program has a meaning for, and returns the way to stop that. Fatal signals keep their
 * default: a handler in a dying V8 hangs. USR1 belongs to Node's debugger, which `--disable-sigusr1` switches off.
 * SIGPIPE is ignored by Node already.
 */
export function onSignals(handlers: SignalHandlers): () => void {
  let times = 0;
  const terminate = (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): void => {
    times += 1;
    handlers.terminate(signal, times);
  };
  let pressed = Number.NEGATIVE_INFINITY;
  const press = (): void => {
    const now = performance.now();
    if (now - pressed < ONE_PRESS_MS) return;
    pressed = now;
    terminate('SIGINT');
  };
  const hadTerminal = hasTerminal();
  // A closed window must not leave a product running that nobody sees.
  const hangUp = (): void => {
    if (hadTerminal && !hasTerminal()) terminate('SIGHUP');
    else handlers.reload();
  };
  const reopen = (): void => handlers.reopen();
  process.on('SIGTERM', terminate).on('SIGINT', press).on('SIGHUP', hangUp).on('SIGUSR2', reopen);
  return () => {
    process.off('SIGTERM', terminate).off('SIGINT', press).off('SIGHUP', hangUp).off('SIGUSR2', reopen);
  };
}

/** The controlling terminal of the process; one that was hung up cannot be opened any more. tty(4) */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
