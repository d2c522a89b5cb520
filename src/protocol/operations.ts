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

/** Of `rollback`: the cluster, or the database, that was in use before. */
export interface RollbackPlan {
  readonly kind: 'cluster' | 'database';
  readonly name: string;
  /** Of a cluster. */
  readonly major: number | undefined;
  /** Of a database, on the disk. */
  readonly bytes: number | undefined;
  /** ISO 8601; what was written since is lost with it. */
  readonly since: string;
  readonly why: string;
  /** Of a database that is back: the name of the one that was in use. */
  readonly aside: string | undefined;
}

/** Of `restore`: what it will do, or has done. */
export interface RestorePlan {
  /** Id of the backup, or path of the dump. */
  readonly what: string;
  readonly kind: 'dump' | 'base' | 'file';
  /** When its state was fixed, ISO 8601; undefined: nobody knows. */
  readonly at: string | undefined;
  /** Of its files. */
  readonly bytes: number;
  /** As its manifest says. */
  readonly rows: number | undefined;
  readonly tables: number | undefined;
  /** It is of another installation. */
  readonly foreign: boolean;
  /** What is there now, and goes out of use; undefined: nothing. */
  readonly replaced:
    | { readonly what: string; readonly tables: number | undefined; readonly bytes: number }
    | undefined;
  /** A whole cluster was built: the next start puts it in its place. */
  readonly flip: boolean;
  /** Of a database: under which name what was there is kept; a cluster gets its name from the start that replaces it. */
  readonly kept: string | undefined;
}

/** Of `restore-files`: assets or configuration, what it will do, or has done. */
export interface RestoreFilesPlan {
  /** Id of the backup. */
  readonly what: string;
  readonly kind: 'assets' | 'config';
  /** When it was taken, ISO 8601. */
  readonly at: string;
  readonly files: number;
  /** Of those files; of configuration undefined. */
  readonly bytes: number | undefined;
  /** Of assets: the folders. */
  readonly folders: readonly {
    readonly folder: string;
    /** Something is in it. */
    readonly taken: boolean;
    /** Where what was in it is now; undefined: nothing was, or nothing was done yet. */
    readonly kept: string | undefined;
  }[];
  /** Of configuration: each file. */
  readonly changes: readonly ConfigChange[];
  /** Of configuration: the folder in which files that were replaced are kept; undefined: none was. */
  readonly kept: string | undefined;
}

export interface ConfigChange {
  /** Absolute. */
  readonly path: string;
  /** `left`: it is not written, see `why`. */
  readonly what: 'new' | 'changed' | 'same' | 'left';
  readonly why: string | undefined;
}

/** Of `adopt`: the data folder of another image. */
export interface AdoptPlan {
  readonly folder: string;
  /** Majors: what it is of, and what it becomes. */
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}
