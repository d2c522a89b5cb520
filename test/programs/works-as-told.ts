/**
 * A worker without a queue: each request holds what it shall say to PID 1, and is answered with all it has heard so far.
 * `{ op: 'say', messages }`, `{ op: 'silence' }` is never answered, `{ op: 'deaf', ms }` lets it read nothing for a
 * while, `{ op: 'tally' }` is answered by how much it has heard.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

const channel = new Socket({ fd: 3, readable: true, writable: true });
const heard: { type: string; line: { percent: number } }[] = [];
let isAssigned = false;

createInterface(channel).on('line', (line) => {
  const message = JSON.parse(line);
  if (!isAssigned) {
    isAssigned = true;
    console.log('ready');
  } else if (message.type !== 'jobs-request') heard.push(message);
  else answer(message.id, message.request);
});
channel.on('end', () => process.exit(0));

function answer(
  id: number,
  { op, messages = [], ms = 0 }: { op: string; messages?: unknown[]; ms?: number },
): void {
  if (op === 'silence') return;
  const until = performance.now() + ms;
  while (performance.now() < until);
  for (const each of messages) send(each);
  const value = op === 'tally' ? tally() : { heard };
  send({ type: 'jobs-answer', id, answer: { ok: true, durability: 'durable', value } });
}

function tally(): object {
  const reports = heard.filter((each) => each.type === 'attempt-report');
  return { reports: reports.length, inOrder: reports.every((each, index) => each.line.percent === index) };
}

function send(message: unknown): void {
  channel.write(`${JSON.stringify(message)}\n`);
}
