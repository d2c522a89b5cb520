/** What the program `compress-logs` is handed: names of files in the folder of logs, none of which anybody writes. */

export interface CareWork {
  /** To be removed, in this order. */
  readonly remove: readonly string[];
  /** To be compressed, in this order. */
  readonly compress: readonly string[];
  /** Of all days, as files were before there was one for each: to be named by the day of their last line. */
  readonly adopt: readonly string[];
}
