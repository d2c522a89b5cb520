import type { Finding } from '../../protocol/finding.ts';
import { isPortFree, whoListens } from '../../system/ports.ts';

export interface WantedPort {
  readonly what: string;
  readonly port: number;
  /** The variable that moves it. */
  readonly variable: string;
}

/** Tries each port as the supervisor would; only meaningful while no supervisor of this volume runs. */
export async function examinePorts(ports: readonly WantedPort[]): Promise<readonly Finding[]> {
  return Promise.all(ports.map(examinePort));
}

async function examinePort({ what, port, variable }: WantedPort): Promise<Finding> {
  if (await isPortFree('0.0.0.0', port))
    return { check: 'ports', level: 'ok', fact: `port ${port} (${what}) is free` };
  const owner = whoListens(port);
  const cause =
    owner === undefined
      ? 'cannot be had: it is taken, or not allowed for this user'
      : `is taken by ${owner.name} (pid ${owner.pid})`;
  const remedy = `stop what has it, or choose another: ${variable}=${port + 1}`;
  return { check: 'ports', level: 'fail', fact: `port ${port} (${what}) ${cause}`, remedy };
}
