/** Keeps a queue full of scrapes, and kills one of so many with its browser, as an out-of-memory killer would. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobList, JobsStatus } from '../src/protocol/jobs.ts';
import type { Container } from '../test/image/container.ts';
import { askApi } from '../test/image/jobs.ts';

export interface JobLoad {
  readonly added: number;
  /** Attempts that were seen to run. */
  readonly seen: number;
  readonly killed: number;
  readonly status: JobsStatus;
}

/** More than any container runs at once. */
const WAITING = 20;

/** @param tools ids of rows, asked for again and again @param killEvery of the attempts that are seen */
export async function keepScraping(
  container: Container,
  tools: readonly number[],
  killEvery: number,
  signal: AbortSignal,
): Promise<JobLoad> {
  let [added, killed, next] = [0, 0, 0];
  const seen = new Set<string>();
  let status = await askApi<JobsStatus>(container, 'GET', '/jobs/status');
  while (!signal.aborted) {
    for (let missing = WAITING - status.counts.created; missing > 0; missing -= 1) {
      added += Number(await addScrape(container, tools[next % tools.length] ?? 0));
      next += 1;
    }
    const { jobs } = await askApi<JobList>(container, 'GET', '/jobs?state=active&limit=200');
    for (const { id, attempts } of jobs) {
      if (seen.has(`${id}/${attempts}`)) continue;
      seen.add(`${id}/${attempts}`);
      if (seen.size % killEvery === 0) killed += Number(killGroupOf(id));
    }
    await sleep(500);
    status = await askApi<JobsStatus>(container, 'GET', '/jobs/status');
  }
  return { added, seen: seen.size, killed, status };
}

/** False: that tool waits or runs already. */
async function addScrape(container: Container, tool: number): Promise<boolean> {
  try {
    await askApi(container, 'POST', '/jobs/scrape', { data: { tool } });
    return true;
  } catch (error) {
    if (/answered 409/.test(String(error))) return false;
    throw error;
  }
}

/** The attempt's whole process group, found from outside of the container: the machine's root sees all environments. */
function killGroupOf(job: string): boolean {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`BULKHEAD_JOB_ID=${job}\0`)) continue;
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
      process.kill(-Number(fields[2]), 'SIGKILL');
      return true;
    } catch {
      // It ended meanwhile.
    }
  }
  return false;
}
