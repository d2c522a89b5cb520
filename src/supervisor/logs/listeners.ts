import type { LogLine } from '../../protocol/control.ts';

/** A pattern sees this much of a line, so that a hostile line cannot make it search for long. */
const LONGEST_MATCHED = 8192;

export interface Filter {
  /** undefined: every service. */
  readonly services: ReadonlySet<string> | undefined;
}

interface Listener {
  wants(service: string): boolean;
  tell(line: LogLine, generation: number): void;
}

/** Who wants to see lines as they come. Where nobody does, no line is decoded. */
export class Listeners {
  private readonly listeners = new Set<Listener>();
  private readonly onBroken: (error: unknown) => void;

  constructor(onBroken: (error: unknown) => void) {
    this.onBroken = onBroken;
  }

  /** Tells every line of the services asked for; the returned function ends it. */
  follow(filter: Filter, onLine: (line: LogLine) => void): () => void {
    return this.add({ wants: (service) => filter.services?.has(service) ?? true, tell: onLine });
  }

  /** Calls once, at the first line of this generation that matches; the returned function gives up waiting. */
  match(service: string, generation: number, pattern: RegExp, onMatch: (line: string) => void): () => void {
    // A sticky or global pattern remembers where it stopped; ours asks each line anew.
    const plain = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    const stop = this.add({
      wants: (name) => name === service,
      tell: ({ line }, from) => {
        if (from !== generation || !plain.test(line.slice(0, LONGEST_MATCHED))) return;
        stop();
        onMatch(line);
      },
    });
    return stop;
  }

  wants(service: string): boolean {
    for (const listener of this.listeners) if (listener.wants(service)) return true;
    return false;
  }

  /** `generation` 0: said by us, not by the service. */
  tell(line: LogLine, generation: number): void {
    for (const listener of this.listeners) {
      if (!listener.wants(line.service)) continue;
      try {
        listener.tell(line, generation);
      } catch (error) {
        this.listeners.delete(listener);
        this.onBroken(error);
      }
    }
  }

  private add(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
