import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { constants } from 'node:os';
import { Failure } from '../../base/errors.ts';
import type { ExecInput, ExecOutput } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { usageFailure } from '../arguments.ts';
import type { Context } from '../command.ts';

/** Ends as the command did: its exit code, or 128 and the signal's number as a shell would say. */
export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const [service = ''] = given.words;
  if (given.rest.length === 0) {
    throw usageFailure(
      'cannot run exec: the command is missing',
      `write: bulkhead exec ${service} -- COMMAND`,
    );
  }
  const client = await context.client();
  const over = new AbortController();
  io.out.closed.addEventListener('abort', () => over.abort(), { once: true });
  const giveBack: (() => void)[] = [];
  const write = (request: ClientRequest) => {
    sendFrame(request, { type: 'open', service, argv: given.rest });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
      giveBack.push(io.onSignal(signal, () => sendFrame(request, { type: 'signal', signal })));
    }
    void forwardInput(io.stdin, request);
  };
  try {
    for await (const frame of await client.lines<ExecOutput>('/v1/exec', { signal: over.signal, write })) {
      if (frame.type === 'exit') return exitCodeOf(frame);
      if (frame.type === 'stdout') io.out.write(Buffer.from(frame.data, 'base64'));
      if (frame.type === 'stderr') io.err.write(Buffer.from(frame.data, 'base64'));
      await Promise.all([io.out.flushed(), io.err.flushed()]);
    }
  } catch (error) {
    if (over.signal.aborted) return CommandExit.ok;
    throw error;
  } finally {
    for (const release of giveBack) release();
    // An open terminal would keep this process alive.
    io.stdin.destroy();
  }
  if (over.signal.aborted) return CommandExit.ok;
  throw new Failure('cannot tell how the command ended: the supervisor hung up', {
    code: 'hung-up',
    exitCode: CommandExit.unreachable,
    remedy: 'see whether it still runs: bulkhead status',
  });
}

function sendFrame(request: ClientRequest, frame: ExecInput): boolean {
  return request.writable ? request.write(`${JSON.stringify(frame)}\n`) : true;
}

async function forwardInput(stdin: AsyncIterable<Uint8Array>, request: ClientRequest): Promise<void> {
  try {
    for await (const chunk of stdin) {
      if (sendFrame(request, { type: 'stdin', data: Buffer.from(chunk).toString('base64') })) continue;
      await once(request, 'drain');
    }
  } catch {
    // Input that is torn, or a command that ended first: both are the end of input.
  }
  sendFrame(request, { type: 'end' });
}

function exitCodeOf({
  code,
  signal,
}: {
  readonly code: number | null;
  readonly signal: string | null;
}): number {
  if (code !== null) return code;
  const found = Object.entries(constants.signals).find(([name]) => name === signal);
  return 128 + (found?.[1] ?? 0);
}
