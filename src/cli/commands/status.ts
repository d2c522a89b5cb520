import { CommandExit } from '../../protocol/exit-codes.ts';
import type { ProductStatus, ServiceStatus } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { commandName } from '../command-name.ts';
import { pickServices } from '../service-names.ts';
import { isUnwell, renderStatus } from '../status-text.ts';

/** Exit codes: 1 when the product cannot serve; for named services 1 when one is unwell, 3 when one is not running. */
export async function run(context: Context): Promise<number> {
  const { given, io, paint } = context;
  const client = await context.client();
  const product = await client.get<ProductStatus>('/v1/status');
  const services = pickServices(product, given.words);
  if (context.json) {
    context.sayJson(given.words.length === 0 ? product : { ...product, services });
  } else {
    const command = commandName(io.env);
    const width = io.out.columns;
    context.say(renderStatus({ product, services, now: io.now(), width, paint, command }));
  }
  return given.words.length === 0 ? productExit(product) : servicesExit(services);
}

function productExit({ overall }: ProductStatus): number {
  return overall === 'fail' ? CommandExit.failed : CommandExit.ok;
}

function servicesExit(services: readonly ServiceStatus[]): number {
  if (services.some(isUnwell)) return CommandExit.failed;
  const running = services.every(({ status }) => status === 'ready' || status === 'done');
  return running ? CommandExit.ok : CommandExit.notRunning;
}
