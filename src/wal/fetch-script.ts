/** What PostgreSQL runs in recovery for every piece of the log it wants, as text. */
import { quoteShell } from './quote-shell.ts';

export interface FetchScriptOptions {
  readonly archive: string;
  /** A file with the names that must be there, a line each. */
  readonly needed: string;
}

/**
 * For the recovery of a base backup alone, which has all the log it needs: it only has to find a number for its timeline
 * that nobody had before.
 */
export function fetchHistoriesScript(archive: string): string {
  return `# Written by Bulkhead for one recovery.
case $1 in
  *.history) [ -e ${quoteShell(archive)}/"$1" ] && exec cp -- ${quoteShell(archive)}/"$1" "$2" ;;
esac
exit 1
`;
}

/**
 * Called with a name and the path to put it. PostgreSQL takes an exit of 1 to 125 for the end of the log, and begins to
 * serve without what comes after; 126 ends the recovery. So 1 is only for what nobody knows of: the segment after the
 * last, a history there never was.
 */
export function fetchScript({ archive, needed }: FetchScriptOptions): string {
  return `# Written by Bulkhead for one recovery.
set -u
unset LD_LIBRARY_PATH
archive=${quoteShell(archive)}
needed=${quoteShell(needed)}
name=$1
target=$2

refuse() {
  printf 'bulkhead: cannot use %s: %s\\n' "$archive/$name" "$1" >&2
  exit 126
}

[ -r "$needed" ] || refuse "there is no list of what is needed"
if ! [ -e "$archive/$name" ]; then
  grep -qxF -- "$name" "$needed"
  case $? in
    0) refuse "it is not there, and is needed" ;;
    1) exit 1 ;;
    *) refuse "the list of what is needed cannot be read" ;;
  esac
fi
read -r expected rest <"$archive/$name.sha256" || refuse "its hash is missing"
cp --sparse=always -- "$archive/$name" "$target" || refuse "it cannot be copied"
sum=$(sha256sum <"$target") || refuse "it cannot be hashed"
if [ "\${sum%% *}" != "$expected" ]; then
  rm -f -- "$target"
  refuse "its content is not what was archived"
fi
`;
}
