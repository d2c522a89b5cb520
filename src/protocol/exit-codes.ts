/** Exit codes of commands. LSB and systemctl gave 3 and 4, coreutils `timeout` gave 124. */
export const CommandExit = {
  ok: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  unknownName: 4,
  refused: 5,
  invalidConfiguration: 6,
  unreachable: 7,
  timedOut: 124,
} as const;

/** Exit codes of `bulkhead up`. The first cause wins; `unclean` replaces only `ok`. */
export const UpExit = {
  ok: 0,
  criticalGaveUp: 10,
  criticalUnhealthy: 11,
  taskFailed: 12,
  cannotStart: 13,
  unclean: 14,
  internal: 70,
  dataInUse: 75,
} as const;
