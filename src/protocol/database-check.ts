/** What the program `check-database` answers and `bulkhead health --deep` prints. */
export interface DatabaseCheck {
  /** What was done, in the order it was done; the first that failed is the last. */
  readonly steps: readonly {
    /** "query", "write", "disk" */
    readonly what: string;
    readonly ok: boolean;
    /** "answered in 3 ms", or why it failed. */
    readonly text: string;
  }[];
}
