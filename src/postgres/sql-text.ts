/** Text that becomes part of SQL. */

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Correct whatever standard_conforming_strings says: a backslash makes it an escape string. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? ` E${quoted}` : quoted;
}

/** A quoted name as people write it: quotes stay only where they are needed. */
export function readableName(quoted: string): string {
  return quoted.replaceAll(/"([a-z_][a-z0-9_$]*)"/g, '$1');
}
