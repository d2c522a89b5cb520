/** The jobs of a plan: what may be asked for through the queue, where the queue is, and the API in front of it. */
import type { RunBase, RunPlan } from './plan-runs.ts';
import type { Role } from './roles.ts';

/** What the worker is told; the commands themselves are `Plan.attempts`, which only PID 1 needs. */
export interface JobsPlan {
  /** In file order. */
  readonly types: readonly JobTypePlan[];
  /** `auto` is settled already. */
  readonly store: 'postgres' | 'redis' | 'memory';
  /** A secret; there with `redis`, and only for the worker. */
  readonly redisUrl: string | undefined;
  /** Of all keys in Redis: letters, digits, `.`, `_` and `-`. */
  readonly prefix: string;
  /** Nobody wrote it: it is made of the plan's name, which another product may have as well. */
  readonly prefixIsDefault: boolean;
  /** Refuse jobs rather than keep them in memory. */
  readonly requireDurable: boolean;
  /** Most attempts of all types at once, in this container. */
  readonly concurrency: number;
  /** More waiting jobs than this are refused. */
  readonly maxWaiting: number;
  readonly keep: {
    /** ms */
    readonly completed: number;
    /** ms; also cancelled ones */
    readonly failed: number;
    /** Of all finished ones together. */
    readonly most: number;
  };
  /** How long active attempts may go on when everything stops, before their stop signal; ms. */
  readonly drain: number;
  /** From the signal on, by when no attempt may be left then, so that what they did can be put back; ms. */
  readonly stopWithin: number;
  /** System user of the worker, when we are root. */
  readonly user: string;
}

export interface JobTypePlan {
  readonly name: string;
  /** Attempts of this type at once, in this container. */
  readonly concurrency: number;
  /** Of one attempt, ms; undefined: no limit. */
  readonly timeout: number | undefined;
  /** Further attempts after the first. */
  readonly retries: number;
  /** ms before the first retry; doubled from one to the next, with jitter, up to `retryDelayMax`. */
  readonly retryDelay: number;
  readonly retryDelayMax: number;
  /** Higher first. */
  readonly priority: number;
  /** true: one waiting or active job of this type; a name: one for each value of that key of its data. */
  readonly singleton: boolean | string;
  /** What it cannot do without: such a job is never kept in memory while that is away. */
  readonly requires: readonly 'database'[];
}

/** How each attempt of a job type is started and stopped; named as the type. */
export interface AttemptPlan extends RunBase {
  readonly kind: 'attempt';
  /** Bytes: the kernel holds it and its descendants to this where it can; elsewhere it is watched and killed. */
  readonly memoryLimit?: number | undefined;
}

/** Whatever is started as a process of its own. */
export type LaunchPlan = RunPlan | AttemptPlan;

/** What `/metrics` of the API tells besides what Bulkhead knows by itself. */
export interface MetricsPlan {
  /** Where the app tells its own figures. */
  readonly app: string | undefined;
}

export interface ApiTokenPlan {
  readonly name: string;
  readonly role: Role;
  /** A secret. */
  readonly token: string;
}

/** The HTTP API, on `Plan.ports.api`. */
export interface ApiPlan {
  readonly host: string;
  /** Names it answers to besides loopback ones; empty: any that comes with a token. */
  readonly allowedHosts: readonly string[];
  /** It changes nothing. */
  readonly readOnly: boolean;
  /** Beside the main one. */
  readonly tokens: readonly ApiTokenPlan[];
  /** Undefined: it serves none. */
  readonly metrics: MetricsPlan | undefined;
  /** System user of the program, when we are root. */
  readonly user: string;
}
