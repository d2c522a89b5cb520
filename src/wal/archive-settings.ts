/** Settings of the server about its archive. Pure. */
import { quoteCommandPath } from './quote-shell.ts';

export interface ArchiveSetting {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}

/** Beside the rendered configuration: the text of `archiveScript`. */
export const ARCHIVE_SCRIPT = 'archive-wal';

/** `script`: its path; undefined: there is no archive. */
export function archiveSettings(script: string | undefined): ArchiveSetting[] {
  if (script === undefined) {
    return [{ name: 'archive_mode', value: 'off', reason: 'backups.point_in_time is off' }];
  }
  return [
    { name: 'wal_level', value: 'replica', reason: 'the least that can be recovered from' },
    { name: 'archive_mode', value: 'on', reason: 'backups.point_in_time' },
    { name: 'archive_timeout', value: '300', reason: 'at most five minutes are not in the archive' },
    {
      name: 'archive_command',
      // Instead of the shell that reads this line, not as its child.
      value: `exec sh ${quoteCommandPath(script)} "%p" "%f"`,
      reason: 'copies to the volume, with hashes; it waits for no network',
    },
  ];
}
