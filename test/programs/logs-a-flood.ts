/**
 * The logs room in a process of its own, with a real standard output. Arguments: data folder, program and its
 * arguments, whose output it carries. Then its statistics go to standard error.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { openLogs } from '../../src/supervisor/logs/logs.ts';
import type { OutputPipe } from '../../src/supervisor/logs/ports.ts';
import { DatedFile } from '../../src/system/dated-file.ts';
import { LogFolder } from '../../src/system/log-folder.ts';
import { openStandardOutput } from '../../src/system/standard-output.ts';
import { realClock } from '../support/clock.ts';

const [folder = '', command = '', ...args] = process.argv.slice(2);
const files = new LogFolder(folder, () => Number.POSITIVE_INFINITY);
const logs = openLogs({
  clock: realClock,
  output: openStandardOutput(),
  openFile: (service) => new DatedFile(files, service),
  level: 'info',
  format: 'text',
  colour: true,
  services: ['app'],
  pid: process.pid,
});

const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
const { drained } = logs.attach('app', 1, { stdout: pipeOf(child.stdout), stderr: pipeOf(child.stderr) });
// While standard output is blocked the loop must turn: this line proves it to the test.
const beat = setInterval(() => process.stderr.write(`alive ${JSON.stringify(logs.stats())}\n`), 50);
await drained;
process.stderr.write('drained\n');
await logs.close(Number(process.env.CLOSE_WITHIN ?? 10_000));
clearInterval(beat);
process.stderr.write(`memory ${process.memoryUsage().rss}\n`);
process.stderr.write(`${JSON.stringify(logs.stats())}\n`, () => process.exit(0));

function pipeOf(stream: Readable): OutputPipe {
  return {
    read: (onChunk, onEnd) => {
      stream.on('data', onChunk);
      stream.on('close', onEnd);
    },
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    closeWithin: () => {},
  };
}
