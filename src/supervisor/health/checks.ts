import type { Clock } from '../../base/clock.ts';
import type { CheckPlan } from '../../config/plan-runs.ts';
import type { CheckStatus } from '../../protocol/status.ts';
import { askProbe } from './ask.ts';
import { Check } from './check.ts';
import type { CheckEvents, HealthPorts } from './ports.ts';

export interface Checks {
  /** Begins to ask about this generation; an older one is no longer asked about. */
  start(name: string, generation: number, plan: CheckPlan): void;
  /** No question and no callback about it any more. Of a generation that is gone: nothing happens. */
  stop(name: string, generation?: number): void;
  /** What is known; undefined where nothing is asked. */
  statusOf(name: string): CheckStatus | undefined;
  stopAll(): void;
}

/** Opens the room of checks. Where nothing is checked, no timer is armed. */
export function openChecks(
  clock: Clock,
  ports: HealthPorts,
  events: CheckEvents,
  spread: () => number = Math.random,
): Checks {
  const running = new Map<string, { readonly generation: number; readonly check: Check }>();

  const stop = (name: string, generation?: number): void => {
    const found = running.get(name);
    if (!found || (generation !== undefined && generation !== found.generation)) return;
    running.delete(name);
    found.check.stop();
  };

  return {
    start: (name, generation, plan) => {
      stop(name);
      const check = new Check(
        plan,
        clock,
        (signal) => askProbe(name, plan.probe, ports, signal),
        {
          passed: (ms) => events.passed(name, generation, ms),
          failed: (error, wentDown) => events.failed(name, generation, error, wentDown),
          busy: (what) => events.busy(name, generation, what),
        },
        spread,
      );
      running.set(name, { generation, check });
    },
    stop,
    statusOf: (name) => running.get(name)?.check.status(),
    stopAll: () => {
      for (const name of [...running.keys()]) stop(name);
    },
  };
}
