import { messageOf } from '../../base/errors.ts';
import type { ProbePlan } from '../../config/plan.ts';
import type { Busy, HealthPorts } from './ports.ts';
import { askHttp } from './probe-http.ts';
import { askPostgres } from './probe-postgres.ts';
import { askTcp } from './probe-tcp.ts';

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
        return await askPostgres(probe.host, probe.port, signal, ports.readFile);
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
