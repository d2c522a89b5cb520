/** Asks a person at a terminal for something that shall not be seen on it. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Surroundings } from './surroundings.ts';

/** Undefined where no person is there. */
export async function askSecret(io: Surroundings, question: string): Promise<string | undefined> {
  if (!io.err.isTTY || !('isTTY' in io.stdin) || io.stdin.isTTY !== true) return undefined;
  io.err.write(question);
  // With `terminal` it sets the raw mode, and echoes into an output that goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: nowhere, terminal: true });
  try {
    return await new Promise((resolve) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => resolve(undefined));
      lines.once('close', () => resolve(undefined));
    });
  } finally {
    lines.close();
    io.err.write('\n');
  }
}
