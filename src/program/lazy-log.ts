/** The program's log. Loaded with its first line: most starts have nothing to say, and pino costs more than they do. */
import type { ProgramLog } from '../system/program-log.ts';

export interface LazyLog {
  say(level: 'info' | 'warn' | 'error', text: string): void;
  /** Resolves when every line so far is written. */
  flush(): Promise<void>;
}

export function openLazyLog(): LazyLog {
  let opening: Promise<ProgramLog> | undefined;
  let written: Promise<void> = Promise.resolve();
  return {
    say: (level, text) => {
      opening ??= import('../system/program-log.ts').then(({ openProgramLog }) => openProgramLog());
      const log = opening;
      written = written.then(async () => (await log)[level](text));
    },
    flush: () => written,
  };
}
