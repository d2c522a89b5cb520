import { messageOf } from '../../base/errors.ts';
import type { ProbePlan } from '../../config/plan-runs.ts';
import type { Busy, HealthPorts } from './ports.ts';
import { askHttp } from './probe-http.ts';
import { askForTls, askPostgres } from './probe-postgres.ts';
import { askTcp } from './probe-tcp.ts';

/** The first that answers counts; where none does, what the first one said. */
async function askAnyPostgres(
  probe: Extract<ProbePlan, { readonly kind: 'postgres' }>,
  { readFile }: HealthPorts,
  signal: AbortSignal,
): Promise<string | Busy | undefined> {
  const ask = probe.encrypted ? askForTls : askPostgres;
  const answer = await ask(probe.host, probe.port, signal, readFile);
  if (answer === undefined) return undefined;
  for (const { host, port } of probe.others ?? []) {
    if ((await ask(host, port, signal, readFile)) === undefined) return undefined;
  }
  return answer;
}

/** Asks one probe's question once. Resolves with why it is not well, or undefined where it is; never rejects. */
export async function askProbe(
  service: string,
  probe: ProbePlan,
  ports: HealthPorts,
  signal: AbortSignal,
): Promise<string | Busy | undefined> {
  try {
    switch (probe.kind) {
      case 'http':
        return await askHttp(ports.fill(service, probe.url), signal);
      case 'tcp':
        return await askTcp({ host: probe.host, port: probe.port }, signal);
      case 'postgres':
        return await askAnyPostgres(probe, ports, signal);
      case 'exec': {
        const argv = probe.argv.map((text) => ports.fill(service, text));
        const { code, signal: killed, lastLine } = await ports.runProbe(service, argv, signal);
        if (code === 0) return undefined;
        const end = killed === null ? `exit ${code}` : `killed by ${killed}`;
        return lastLine === undefined ? end : `${end}: ${lastLine}`;
      }
    }
  } catch (error) {
    return messageOf(error);
  }
}
