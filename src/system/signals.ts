export interface SignalHandlers {
  /** TERM or INT. `times` is 1 for the first of either; a person who asks again wants it to go faster. */
  terminate(signal: 'SIGTERM' | 'SIGINT', times: number): void;
  /** HUP. */
  reload(): void;
  /** USR2: open the log files anew. */
  reopen(): void;
}

/**
 * Listens to the signals the program has a meaning for, and returns the way to stop that. Fatal signals keep their
 * default: a handler in a dying V8 hangs. USR1 belongs to Node's debugger, which `--disable-sigusr1` switches off.
 * SIGPIPE is ignored by Node already.
 */
export function onSignals(handlers: SignalHandlers): () => void {
  let times = 0;
  const terminate = (signal: NodeJS.Signals): void => {
    times += 1;
    handlers.terminate(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM', times);
  };
  const reload = (): void => handlers.reload();
  const reopen = (): void => handlers.reopen();
  process.on('SIGTERM', terminate).on('SIGINT', terminate).on('SIGHUP', reload).on('SIGUSR2', reopen);
  return () => {
    process.off('SIGTERM', terminate).off('SIGINT', terminate).off('SIGHUP', reload).off('SIGUSR2', reopen);
  };
}
