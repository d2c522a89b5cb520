/** A backup that is not what it should be, told to people; whatever else goes wrong says nothing about it. */
export class BadBackup extends Error {}

/** What PostgreSQL, its tools and its client say where the machine, and not what was read, is the reason. */
const OF_THE_MACHINE =
  /was killed by SIG|No space left on device|Disk quota exceeded|out of memory|Cannot allocate memory|Too many open files|server closed the connection|connection to server .*(?:failed|was lost)|Connection terminated|terminating connection|the database system is (?:shutting down|in recovery)/i;

/** @throws BadBackup that says `text`, or `cause` itself where the text says nothing about the backup */
export function blameBackup(text: string, cause: unknown): never {
  throw OF_THE_MACHINE.test(text) ? cause : new BadBackup(text);
}
