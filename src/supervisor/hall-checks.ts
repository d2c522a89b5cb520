/** The checks in the real world: what they ask with, and who is told what came of it. */
import type { Clock } from '../base/clock.ts';
import { readOpenText } from '../system/files.ts';
import type { Companions } from './companions.ts';
import { type Checks, openChecks } from './health/checks.ts';
import { fillText } from './late-values.ts';
import type { LaunchSource } from './launch-source.ts';
import type { PlanInForce } from './plan-in-force.ts';
import type { Services } from './services/manager.ts';
import type { Tallies } from './tallies.ts';

export interface HallChecksOptions {
  readonly clock: Clock;
  readonly source: LaunchSource;
  readonly companions: Companions;
  readonly inForce: PlanInForce;
  readonly tallies: Tallies;
  /** Asked for when a check has ended: they begin after the checks. */
  readonly services: () => Services;
}

export function openHallChecks(options: HallChecksOptions): Checks {
  const { clock, source, companions, inForce, tallies, services } = options;
  return openChecks(
    clock,
    {
      fill: (_service, text) => fillText(text, source),
      readFile: readOpenText,
      runProbe: (name, argv, signal) => companions.probe(inForce.run(name), argv, signal),
    },
    {
      passed: (name, generation, ms) => {
        tallies.checkPassed(name, ms);
        services().checkPassed(name, generation);
      },
      failed: (name, generation, error, wentDown) => {
        tallies.checkFailed(name);
        if (wentDown) services().checkFailed(name, generation, error);
      },
      busy: (name, generation, what) => services().checkBusy(name, generation, what),
    },
  );
}
