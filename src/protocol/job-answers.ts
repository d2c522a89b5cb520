/** What the command line prints with --json and the API answers of jobs: a version, and the shapes of jobs.ts beside it. */
import type { JobList, JobsStatus, JobView } from './jobs.ts';
import type { SCHEMA_VERSION } from './schema-version.ts';

interface Versioned {
  readonly schemaVersion: typeof SCHEMA_VERSION;
}

export type JobAnswer = Versioned & JobView;
export type JobListAnswer = Versioned & JobList;
export type JobsStatusAnswer = Versioned & JobsStatus;
export type JobCountAnswer = Versioned & { readonly count: number };
