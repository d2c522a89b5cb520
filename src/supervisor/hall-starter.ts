/** The launcher in the real world: what a run shows of itself while it lives, told to the services room. */
import type { Clock } from '../base/clock.ts';
import { formatSize } from '../base/size.ts';
import type { EventBody } from '../protocol/events.ts';
import type { LaunchSource } from './launch-source.ts';
import { createLauncher, type HallLauncher } from './launcher.ts';
import type { Logs } from './logs/logs.ts';
import type { Services } from './services/manager.ts';

export interface HallStarterOptions {
  readonly clock: Clock;
  readonly source: LaunchSource;
  readonly logs: Logs;
  /** Asked for when something is to be told: they begin after the launcher. */
  readonly services: () => Services;
  announce(body: EventBody): void;
}

export function createHallStarter(options: HallStarterOptions): HallLauncher {
  const { clock, source, logs, services, announce } = options;
  return createLauncher(source, logs, clock, {
    logMatched: (name, generation) => services().logMatched(name, generation),
    watchdogFailed: (name, generation, why) => services().checkFailed(name, generation, why),
    watchdogPassed: (name, generation) => services().checkPassed(name, generation),
    memoryExceeded: (name, generation, bytes) => {
      const now = services().status(name);
      // One that is being stopped must not be started again by this.
      if (now?.generation !== generation || now.status === 'stopping') return;
      const text = `${name} uses ${formatSize(bytes)} of memory, more than its plan allows: restarting it`;
      logs.own('warn', text);
      announce({ type: 'noted', text });
      services().restart([name]);
    },
  });
}
