import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { EXEC_SIGNALS, type ExecOutput } from '../../protocol/control.ts';
import { findService } from './known-services.ts';
import { type LineStream, openLineStream } from './line-stream.ts';
import { badRequest, isTextList, type JsonObject, readObjectLines } from './request-body.ts';
import type { ControlTarget, ExecProcess } from './target.ts';

/** A program whose client has gone gets this long to end by itself. */
const GRACE_MS = 5000;
/** One that does not leave after the last frame is shown out. */
const PATIENCE_MS = 1000;

/** Runs a program beside a service: its bytes both ways as frames, its end as the last frame. */
export async function runExec(
  target: ControlTarget,
  clock: Clock,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const frames = readObjectLines(request);
  const child = await start(target, frames).catch(async (error: unknown) => {
    await frames.return(undefined);
    throw error;
  });
  // A child that closes its input early is its own business.
  child.stdin.on('error', () => undefined);
  const stream = openLineStream(response);
  const stopLeaving = endWhenClientLeaves(child, stream, clock);
  const input = feed(child, frames).catch(() => child.stdin.destroy());
  await Promise.all([pump(child.stdout, 'stdout', stream), pump(child.stderr, 'stderr', stream)]);
  const { code, signal } = await child.exited;
  stopLeaving();
  await stream.send({ type: 'exit', code, signal } satisfies ExecOutput);
  stream.end();
  // The client closes when it has read the last frame; closing before that would tear it away.
  await stream.closed;
  const tear = clock.after(PATIENCE_MS, () => request.destroy());
  request.once('close', tear).resume();
  await input;
}

async function start(target: ControlTarget, frames: AsyncGenerator<JsonObject>): Promise<ExecProcess> {
  const first = await frames.next();
  const { service, argv } = readOpen(first.done ? {} : first.value);
  return target.exec(findService(target.product(), service).name, argv);
}

function readOpen(frame: JsonObject): { service: string; argv: readonly string[] } {
  const { type, service, argv } = frame;
  if (type !== 'open' || typeof service !== 'string' || !isTextList(argv) || argv.length === 0) {
    throw badRequest('the first line must be {"type":"open","service":NAME,"argv":[PROGRAM, …]}');
  }
  if (argv.some((word) => word.includes('\0'))) throw badRequest('"argv" must not hold a NUL character');
  return { service, argv };
}

async function feed(child: ExecProcess, frames: AsyncGenerator<JsonObject>): Promise<void> {
  for await (const frame of frames) {
    if (frame.type === 'stdin' && typeof frame.data === 'string') {
      if (!child.stdin.writable) continue;
      if (!child.stdin.write(Buffer.from(frame.data, 'base64'))) {
        await Promise.race([once(child.stdin, 'drain'), child.exited]);
      }
    } else if (frame.type === 'end') {
      child.stdin.end();
    } else if (frame.type === 'signal') {
      const signal = EXEC_SIGNALS.find((name) => name === frame.signal);
      if (signal) child.signal(signal);
    }
  }
  child.stdin.end();
}

async function pump(source: Readable, type: 'stdout' | 'stderr', stream: LineStream): Promise<void> {
  try {
    for await (const chunk of source) {
      await stream.send({ type, data: Buffer.from(chunk).toString('base64') } satisfies ExecOutput);
    }
  } catch {
    // A torn pipe is the end of that output; how the program ended is told by its exit.
  }
}

function endWhenClientLeaves(child: ExecProcess, stream: LineStream, clock: Clock): () => void {
  let over = false;
  let stopTimer = () => {};
  void stream.closed.then(() => {
    if (over) return;
    child.signal('SIGHUP');
    stopTimer = clock.after(GRACE_MS, () => child.signal('SIGKILL'));
  });
  return () => {
    over = true;
    stopTimer();
  };
}
