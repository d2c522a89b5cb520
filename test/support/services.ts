import type { RunPlan } from '../../src/config/plan-runs.ts';
import type { ServicesListener } from '../../src/supervisor/services/listener.ts';
import type { ServicesOptions } from '../../src/supervisor/services/manager.ts';
import { Services } from '../../src/supervisor/services/manager.ts';
import { manualClock } from './clock.ts';
import { FakeLauncher } from './fake-launcher.ts';

/** Services with fakes around them, and everything they told in one list: "app ready", "ended taskFailed import". */
export function servicesWithFakes(runs: readonly RunPlan[], options: Partial<ServicesOptions> = {}) {
  const clock = manualClock();
  const launcher = new FakeLauncher();
  const told: string[] = [];
  const listener: Required<ServicesListener> = {
    changed: (name, _from, to) => told.push(`${name} ${to}`),
    spawned: (name, generation) => told.push(`spawned ${name}@${generation}`),
    startFailed: (name, generation, reason) => told.push(`start failed ${name}@${generation}: ${reason}`),
    exited: (name, generation, { code, signal }, asked) =>
      told.push(`exited ${name}@${generation} ${signal ?? code} ${asked ? 'asked' : 'by itself'}`),
    emptied: (name, generation) => told.push(`emptied ${name}@${generation}`),
    checksWanted: (name, generation) => told.push(`checks wanted ${name}@${generation}`),
    checksUnwanted: (name, generation) => told.push(`checks unwanted ${name}@${generation}`),
    becameReady: (name, generation) => told.push(`became ready ${name}@${generation}`),
    finished: (name, generation) => told.push(`finished ${name}@${generation}`),
    gaveUp: (name, reason) => told.push(`gave up ${name}: ${reason}`),
    rollHalted: (group, why, left) => told.push(`halted ${group}: ${why}; left ${left.join(' ')}`),
    reported: (name, generation, report) => told.push(`reported ${name}@${generation} ${report.type}`),
    booted: (ms) => told.push(`booted ${ms}`),
    settled: () => told.push('settled'),
    ended: ({ cause, service, reason }) => told.push(`ended ${cause} ${service}: ${reason}`),
    misbehaved: (text) => told.push(`misbehaved ${text}`),
  };
  const services = new Services({
    runs,
    stopTimeout: 9000,
    launcher,
    clock,
    random: () => 0.5,
    listener,
    ...options,
  });
  const words = (): Record<string, string> =>
    Object.fromEntries(services.statuses().map(({ name, status }) => [name, status]));
  const reason = (name: string): string | undefined => services.status(name)?.reason;
  return { services, clock, launcher, told, words, reason };
}
