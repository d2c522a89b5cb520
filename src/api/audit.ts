/** Who changed what: one line of the program's log for each request that could change something. */

export interface AuditEntry {
  /** Undefined: it was not let in. */
  readonly actor: string | undefined;
  readonly address: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly status: number;
  /** The job it was about, where the path does not say. */
  readonly job: string | undefined;
}

/** Of those that were not let in; a stranger shall not fill the log. */
const MOST_REFUSED = 30;
const WINDOW_MS = 60_000;
const LONGEST_PATH = 200;

export function createAudit(say: (text: string) => void, now: () => number): (entry: AuditEntry) => void {
  let begun = Number.NEGATIVE_INFINITY;
  let refused = 0;
  return ({ actor, address, method, path, status, job }) => {
    if (actor === undefined) {
      if (now() - begun >= WINDOW_MS) {
        if (refused > MOST_REFUSED) say(`audit: ${refused - MOST_REFUSED} more were refused`);
        begun = now();
        refused = 0;
      }
      refused += 1;
      if (refused > MOST_REFUSED) return;
    }
    const about = job === undefined ? '' : ` job ${job}`;
    say(
      `audit: ${method} ${path.slice(0, LONGEST_PATH)} by ${actor ?? 'nobody'} from ${address}: ${status}${about}`,
    );
  };
}
