/** What the programs about whole clusters answer, and the commands print. Sizes in bytes. */

/** Of `upgrade`. */
export interface UpgradePlan {
  /** Majors. */
  readonly from: number;
  readonly to: number;
  /** Of the databases on the disk. */
  readonly bytes: number;
  /** Free space it takes, and how much there is. */
  readonly needed: number;
  readonly free: number;
  /** The verified backup that would save us; undefined: there is none of the last day. */
  readonly backup: string | undefined;
}

/** Of `rollback`: the cluster that was in use before. */
export interface RollbackPlan {
  readonly name: string;
  readonly major: number;
  /** ISO 8601; what was written since is lost with it. */
  readonly since: string;
  readonly why: string;
}
