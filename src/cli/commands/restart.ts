import { changeServices } from '../change-services.ts';
import type { Context } from '../command.ts';

export function run(context: Context): Promise<number> {
  return changeServices(context, 'restart', context.given.words);
}
