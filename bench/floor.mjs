/**
 * The Node floor: the least a supervisor in Node must do. Spawns, respawns at once, appends what children write to
 * a file each, stops. Nothing here is safe; it only says what is ours to win.
 * Usage: floor.mjs SPEC.json, `{ capture: boolean, logs: folder, services: [{ name, argv }] }`.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync, write } from 'node:fs';

const { capture, logs, services } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const children = new Set();
let stopping = false;

function start(service) {
  const [program, ...args] = service.argv;
  const stdio = capture ? ['ignore', 'pipe', 'pipe'] : 'ignore';
  const child = spawn(program, args, { stdio, detached: true });
  children.add(child);
  if (capture) for (const stream of [child.stdout, child.stderr]) append(stream, service);
  child.once('exit', () => {
    children.delete(child);
    if (!stopping) start(service);
    else if (children.size === 0) process.exit(0);
  });
}

function append(stream, service) {
  stream.on('data', (chunk) => {
    service.fd ??= openSync(`${logs}/${service.name}.log`, 'a');
    stream.pause();
    writeAll(service.fd, chunk, 0, () => stream.resume());
  });
}

function writeAll(fd, chunk, from, done) {
  write(fd, chunk, from, (error, written) => {
    if (error) throw error;
    if (from + written < chunk.length) writeAll(fd, chunk, from + written, done);
    else done();
  });
}

process.on('SIGTERM', () => {
  stopping = true;
  for (const child of children) child.kill('SIGTERM');
});
for (const service of services) start(service);
