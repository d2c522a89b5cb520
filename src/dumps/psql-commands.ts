/** The few commands of psql that pg_dump and pg_dumpall write themselves. */

/** Says nothing to us, and does nothing. A `SET client_encoding` follows the one of the encoding. */
export function isHarmless(command: string): boolean {
  return /^\\(restrict|unrestrict)\s|^\\encoding SQL_ASCII$/.test(command);
}

/** `\connect name`, `\connect "Na me"`, `\connect -reuse-previous=on "dbname='na-me'"`. */
export function connectTarget(command: string): string | undefined {
  const match = /^\\(?:connect|c)\s+(-reuse-previous=on\s+)?(?:"((?:[^"]|"")*)"|(\S+))\s*$/.exec(command);
  if (!match) return undefined;
  const given = match[2]?.replaceAll('""', '"') ?? match[3] ?? '';
  if (match[1] === undefined) return given;
  const quoted = /^dbname='((?:[^'\\]|\\.)*)'$/.exec(given)?.[1] ?? /^dbname=(\S+)$/.exec(given)?.[1];
  return quoted?.replaceAll(/\\(.)/g, '$1');
}
