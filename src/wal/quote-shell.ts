/** As one word of a POSIX shell, whatever is in it. */
export function quoteShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** As it is written in archive_command and restore_command, where a percent sign begins a name. */
export function quoteCommandPath(path: string): string {
  return quoteShell(path).replaceAll('%', '%%');
}
