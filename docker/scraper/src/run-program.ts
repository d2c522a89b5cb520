import { closeMemory } from './close-memory.ts';
import { type Job, takeJob } from './job.ts';
import { Problem, wordsOf } from './problem.ts';
import { readSettings, type Settings } from './settings.ts';

export interface Run {
  readonly job: Job;
  readonly settings: Settings;
  /** Aborted at the deadline, and when we are asked to stop. */
  readonly signal: AbortSignal;
  /** A line of the log. */
  say(text: string): void;
}

/** We were asked to stop: no failure of the site's. */
export class Stopped extends Problem {}

/** 143 as for a program that SIGTERM ended. */
const codeOf = (error: unknown) => (error instanceof Stopped ? 143 : 1);

/** How long the work may take to end once it was told to. */
const GRACE_MS = 4_000;

/** Runs a program of this folder: takes the job, holds the deadline, and says in the last line why it failed. */
export async function runProgram(work: (run: Run) => Promise<void>): Promise<never> {
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals) => stopping.abort(new Stopped(`asked to stop by ${signal}`));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // Whatever does not hear of it: the browser sees our end, and goes as well.
  stopping.signal.addEventListener('abort', () => {
    setTimeout(() => {
      console.error(wordsOf(stopping.signal.reason));
      process.exit(codeOf(stopping.signal.reason));
    }, GRACE_MS);
  });
  closeMemory();
  let job: Job | undefined;
  let code = 0;
  try {
    const settings = readSettings(process.env);
    job = await takeJob();
    const seconds = settings.deadlineMs / 1000;
    const late = new Problem(`cannot go on: not done within ${seconds} s`);
    setTimeout(() => stopping.abort(late), settings.deadlineMs);
    await work({ job, settings, signal: stopping.signal, say: (text) => console.log(text) });
  } catch (error) {
    code = codeOf(error);
    console.error(error instanceof Problem ? error.message : error);
  }
  await job?.leave();
  process.exit(code);
}
