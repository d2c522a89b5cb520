import { changeServices } from '../change-services.ts';
import type { Context } from '../command.ts';

/** Migrations are a task of the plan; running them again is starting that task again, by PID 1 and under its locks. */
export function run(context: Context): Promise<number> {
  return changeServices(context, 'restart', ['migrate']);
}
