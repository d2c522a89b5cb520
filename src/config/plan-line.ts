export interface PlanLine {
  /** As the files call it: `services.app.environment.PORT`. */
  readonly path: string;
  readonly value: string;
}
