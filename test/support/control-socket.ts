/** Asks the control socket of a real supervisor without the command line: many at once, and cheaply. */
import { request } from 'node:http';
import { DATA_HEADER } from '../../src/protocol/control.ts';
import { socketCandidates } from '../../src/protocol/socket-path.ts';
import type { Supervisor } from './supervisor.ts';

/** The answer's status and JSON. The supervisor of another test may hold a path: it says that it runs another volume. */
export async function askSocket(
  bulkhead: Supervisor,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly value: unknown }> {
  for (const socketPath of socketCandidates(bulkhead.dataDir, process.geteuid?.() ?? 0)) {
    const answer = await askPath(socketPath, bulkhead.dataDir, method, path, body);
    if (answer !== undefined && answer.status !== 421) return answer;
  }
  throw new Error(`nobody answers for ${bulkhead.dataDir}:\n${bulkhead.output()}`);
}

function askPath(
  socketPath: string,
  dataDir: string,
  method: string,
  path: string,
  body: object | undefined,
): Promise<{ readonly status: number; readonly value: unknown } | undefined> {
  return new Promise((resolve) => {
    const headers = { [DATA_HEADER]: encodeURIComponent(dataDir) };
    const asked = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, value: JSON.parse(text) }));
    });
    asked.on('error', () => resolve(undefined));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
