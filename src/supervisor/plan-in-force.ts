/** The plan that counts now, and how it is exchanged: by a reload, or by another number of replicas. */
import { Failure } from '../base/errors.ts';
import type { Plan } from '../config/plan.ts';
import type { RunPlan } from '../config/plan-runs.ts';
import type { PlanReading, PlanRequest } from '../config/read-plan.ts';
import { listPlan, type ShownLine } from '../config/show-plan.ts';
import type { ReloadChange } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { planReload, type Reload } from './reload.ts';
import { planScale } from './scale.ts';

export type GoodReading = Extract<PlanReading, { readonly problems?: undefined }>;

export interface PlanUsers {
  /** What taking over these runs does to those there are. */
  changesTo(runs: readonly RunPlan[]): readonly ReloadChange[];
  /** Called with the new plan already in force. */
  takeOver(next: Reload): void;
  isStopping(): boolean;
}

export class PlanInForce {
  readonly #request: PlanRequest;
  readonly #users: PlanUsers;
  #reading: GoodReading;
  /** What a person scaled since the plan was read; a reload goes back to what the plan says. */
  #scaled: Readonly<Record<string, number>> = {};

  /** @param request how the plan was read: a reload reads it the same way */
  constructor(reading: GoodReading, request: PlanRequest, users: PlanUsers) {
    this.#reading = reading;
    this.#request = request;
    this.#users = users;
  }

  get plan(): Plan {
    return this.#reading.plan;
  }

  /** What the plan and its variables keep secret. */
  get secrets(): ReadonlySet<string> {
    return this.#reading.provenance.secrets;
  }

  /** For people: flat lines, secrets masked. */
  show(): readonly ShownLine[] {
    return listPlan(this.#reading.plan, this.#reading.provenance);
  }

  /** @throws Failure where there is no such service or task */
  run(name: string): RunPlan {
    const run = this.plan.runs.find((each) => each.name === name);
    if (run) return run;
    throw new Failure(`cannot find ${name}: there is no such service in this plan`, {
      exitCode: CommandExit.unknownName,
    });
  }

  /** @throws Failure, and then nothing was changed */
  reload({ dryRun }: { readonly dryRun: boolean }): readonly ReloadChange[] {
    this.#refuseWhileStopping('reload');
    const next = planReload(this.plan, this.#request, (runs) => this.#users.changesTo(runs));
    if (dryRun || next.changes.length === 0) return next.changes;
    this.#scaled = {};
    this.#exchange(next);
    return next.changes;
  }

  /** @throws Failure, and then nothing was changed */
  scale(sizes: Readonly<Record<string, number>>): readonly ReloadChange[] {
    this.#refuseWhileStopping('scale');
    const wanted = { ...this.#scaled, ...sizes };
    const next = planScale(this.plan, this.#request, wanted, (runs) => this.#users.changesTo(runs));
    if (next.changes.length > 0) this.#exchange(next);
    this.#scaled = wanted;
    return next.changes;
  }

  /** The runs that a scaling would start. @throws Failure as `scale` does */
  startedBy(sizes: Readonly<Record<string, number>>): readonly RunPlan[] {
    this.#refuseWhileStopping('scale');
    const wanted = { ...this.#scaled, ...sizes };
    const next = planScale(this.plan, this.#request, wanted, (runs) => this.#users.changesTo(runs));
    return startsOf(next);
  }

  /** The runs that a reload would start. @throws Failure as `reload` does */
  startedByReload(): readonly RunPlan[] {
    this.#refuseWhileStopping('reload');
    return startsOf(planReload(this.plan, this.#request, (runs) => this.#users.changesTo(runs)));
  }

  #exchange(next: Reload): void {
    this.#reading = next.reading;
    this.#users.takeOver(next);
  }

  #refuseWhileStopping(what: string): void {
    if (!this.#users.isStopping()) return;
    throw new Failure(`cannot ${what}: everything is being stopped`, { exitCode: CommandExit.refused });
  }
}

function startsOf({ changes, reading }: Reload): readonly RunPlan[] {
  const starts = new Set(changes.flatMap(({ action, service }) => (action === 'start' ? [service] : [])));
  return reading.plan.runs.filter(({ name }) => starts.has(name));
}
