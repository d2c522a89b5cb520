/**
 * A worker without a queue: each request holds what it shall say to PID 1, and is answered with all it has heard so far.
 * `{ op: 'say', messages }`, `{ op: 'silence' }` is never answered.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

const channel = new Socket({ fd: 3, readable: true, writable: true });
const heard: unknown[] = [];
let isAssigned = false;

createInterface(channel).on('line', (line) => {
  const message = JSON.parse(line);
  if (!isAssigned) {
    isAssigned = true;
    console.log('ready');
  } else if (message.type !== 'jobs-request') heard.push(message);
  else if (message.request.op !== 'silence') {
    for (const each of message.request.messages ?? []) send(each);
    send({
      type: 'jobs-answer',
      id: message.id,
      answer: { ok: true, durability: 'durable', value: { heard } },
    });
  }
});
channel.on('end', () => process.exit(0));

function send(message: unknown): void {
  channel.write(`${JSON.stringify(message)}\n`);
}
