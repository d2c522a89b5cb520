import { createServer } from 'node:net';
import { codeOf } from '../../base/errors.ts';
import type { Finding } from './finding.ts';

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
  const code = await tryPort(port);
  if (code === undefined) return { check: 'ports', level: 'ok', fact: `port ${port} (${what}) is free` };
  const cause =
    code === 'EADDRINUSE'
      ? 'taken by another program'
      : code === 'EACCES'
        ? 'not allowed for this user'
        : code;
  return {
    check: 'ports',
    level: 'fail',
    fact: `port ${port} (${what}) is ${cause}`,
    remedy: `see who has it: ss -ltnp 'sport = :${port}'; or choose another: ${variable}=${port + 1}`,
  };
}

function tryPort(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error) ?? error.message));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
