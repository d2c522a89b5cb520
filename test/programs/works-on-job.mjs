/** A job's attempt: does what its data says (`do`), and writes a line to `data.log` when it begins and when it ends. */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeSync } from 'node:fs';

const job = JSON.parse(readFileSync(0, 'utf8'));
const { do: what = 'finish', ms = 0, log, times = 1 } = job.data;

function tell(event) {
  if (log) appendFileSync(log, `${job.id} ${job.attempt} ${event} ${process.pid}\n`);
}

function say(line) {
  writeSync(3, `${JSON.stringify(line)}\n`);
}

tell('began');
console.log(`attempt ${job.attempt} does ${what}`);
switch (what) {
  case 'finish':
    setTimeout(() => {
      say({ type: 'progress', percent: 100, text: 'all of it' });
      say({ type: 'result', value: { attempt: job.attempt } });
      tell('finished');
    }, ms);
    break;
  case 'fail':
    console.error('this went wrong');
    process.exitCode = job.attempt <= times ? 3 : 0;
    tell('finished');
    break;
  case 'stay':
    process.on('SIGTERM', () => process.exit(0));
    setInterval(() => undefined, 1000);
    break;
  case 'cling':
    // A tree that ignores SIGTERM, with a grandchild in a session of its own.
    process.on('SIGTERM', () => undefined);
    spawn(process.execPath, ['-e', "process.on('SIGTERM',()=>{});setInterval(()=>{},1000)"], {
      stdio: 'ignore',
    });
    spawn('setsid', ['sh', '-c', "trap '' TERM; while :; do sleep 1; done"], { stdio: 'ignore' });
    setInterval(() => undefined, 1000);
    break;
  case 'eat': {
    // 400 MB within a second or so, and a child that must not outlive it.
    spawn(process.execPath, ['-e', 'setInterval(()=>{},1000)'], { stdio: 'ignore' });
    const eaten = [];
    const eat = () => {
      if (eaten.length < 50) eaten.push(Buffer.alloc(8 << 20, eaten.length + 1));
    };
    setInterval(eat, 20);
    break;
  }
  case 'enqueue':
    for (let n = 0; n < times; n += 1) say({ type: 'enqueue', job: 'work', data: { log, n } });
    process.exitCode = job.attempt === 1 && job.data.failFirst ? 1 : 0;
    break;
}
