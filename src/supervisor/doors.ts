/** The two doors of PID 1: probes for machines, on a port, and the control socket for people. */
import type { Clock } from '../base/clock.ts';
import type { Plan } from '../config/plan.ts';
import { socketCandidates } from '../protocol/socket-path.ts';
import { openProbeServer } from './control/probes.ts';
import { openControlServer } from './control/server.ts';
import type { ControlTarget } from './control/target.ts';
import type { HealthView } from './health/health-view.ts';
import { socketFiles } from './socket-files.ts';

export interface DoorOptions {
  readonly target: ControlTarget;
  readonly health: HealthView;
  readonly clock: Clock;
  readonly plan: Plan;
  /** What opens the details of /health. */
  readonly token: () => string | undefined;
}

/** Opens both or none; they close in the opposite order. */
export async function openDoors({
  target,
  health,
  clock,
  plan,
  token,
}: DoorOptions): Promise<AsyncDisposable> {
  await using open = new AsyncDisposableStack();
  const probes = await openProbeServer(health, { port: plan.ports.probes, token, clock });
  open.defer(() => probes.close());
  const uid = process.geteuid?.() ?? 0;
  const control = await openControlServer(target, socketCandidates(plan.dataDir, uid), {
    clock,
    files: socketFiles,
  });
  open.defer(() => control.close());
  return open.move();
}
