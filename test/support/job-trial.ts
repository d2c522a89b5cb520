/** Jobs of a real supervisor, asked for over its control socket. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  JobAdded,
  JobList,
  JobsAnswer,
  JobsRequest,
  JobsStatus,
  JobView,
} from '../../src/protocol/jobs.ts';
import { askSocket } from './control-socket.ts';
import { eventually } from './descendants.ts';
import type { Supervisor } from './supervisor.ts';

/** What an attempt of works-on-job.mjs wrote. */
export interface Told {
  readonly id: string;
  readonly attempt: number;
  readonly event: 'began' | 'finished';
  readonly pid: number;
}

export class JobTrial {
  readonly bulkhead: Supervisor;
  readonly log: string;

  constructor(bulkhead: Supervisor, log = join(bulkhead.folder, 'attempts')) {
    this.bulkhead = bulkhead;
    this.log = log;
    appendFileSync(log, '');
  }

  async ask(request: JobsRequest): Promise<JobsAnswer> {
    const { value } = await askSocket(this.bulkhead, 'POST', '/v1/jobs', request);
    return value as JobsAnswer;
  }

  /** Resolves to what it was answered; asks again while there is no worker. */
  async good<T>(request: JobsRequest): Promise<T> {
    for (;;) {
      const answer = await this.ask(request);
      if (answer.ok) return answer.value as T;
      if (answer.code !== 'worker-away') throw new Error(`${answer.code}: ${answer.message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async add(data: object = {}, more: Partial<Extract<JobsRequest, { op: 'add' }>> = {}): Promise<string> {
    const request = { op: 'add', type: 'work', ...more, data: { log: this.log, ...data } } as const;
    return (await this.good<JobAdded>(request)).job.id;
  }

  get(id: string): Promise<JobView> {
    return this.good({ op: 'get', id });
  }

  status(): Promise<JobsStatus> {
    return this.good({ op: 'status' });
  }

  list(more: Partial<Extract<JobsRequest, { op: 'list' }>> = {}): Promise<JobList> {
    return this.good({ op: 'list', limit: 200, ...more });
  }

  async until(id: string, state: JobView['state'], limit = 30_000): Promise<JobView> {
    let job: JobView | undefined;
    await eventually(
      `job ${id} is ${state}`,
      async () => {
        job = await this.get(id);
        return job.state === state;
      },
      limit,
    );
    if (!job) throw new Error('there is no job');
    return job;
  }

  /** What attempts wrote so far. */
  get told(): Told[] {
    return readFileSync(this.log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [id = '', attempt, event, pid] = line.split(' ');
        return { id, attempt: Number(attempt), event: event as Told['event'], pid: Number(pid) };
      });
  }

  async began(id: string, attempt = 1): Promise<Told> {
    let told: Told | undefined;
    await eventually(`attempt ${attempt} of ${id} begins`, () => {
      told = this.told.find((each) => each.id === id && each.attempt === attempt && each.event === 'began');
      return told !== undefined;
    });
    if (!told) throw new Error('it has not begun');
    return told;
  }

  async workerPid(): Promise<number> {
    const { services } = await this.bulkhead.status();
    return services.find(({ name }) => name === 'worker')?.pid ?? 0;
  }
}
