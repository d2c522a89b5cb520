/**
 * What PostgreSQL runs for every finished piece of its log, as text. In the shell and not in Node: a bulk load makes
 * hundreds of them, and both take as long (100 ms here, most of it the hash), but this takes 3 MB and not 49.
 */
import { quoteShell } from './quote-shell.ts';

export interface ArchiveScriptOptions {
  /** The folder of this cluster's log. */
  readonly archive: string;
  /** Bytes: where less is free, nothing more is archived. */
  readonly floor: number;
}

/**
 * Called in the folder of the cluster with the path of a file and its name. Ends 0 when the file is in the archive with
 * its hash beside it, or a gap is declared; 1: PostgreSQL shall try again; 130: while the server stops, which ends its
 * archiver instead of having it wait and try three times. PostgreSQL: src/backend/postmaster/pgarch.c.
 */
export function archiveScript({ archive, floor }: ArchiveScriptOptions): string {
  return `# Written by Bulkhead at every start of the database; changes here are lost.
set -u
# Of another build of PostgreSQL, and not for the programs of the system.
unset LD_LIBRARY_PATH
archive=${quoteShell(archive)}
floor=${Math.floor(floor / 1024)}
source=$1
name=$2
part=$archive/.tmp-$name

say() {
  printf 'bulkhead: %s\\n' "$*" >&2
}

# The eighth line of this file is what the server is about to do.
stopping() {
  line= i=0
  while [ "$i" -lt 8 ] && read -r line; do i=$((i + 1)); done <postmaster.pid
  [ "$line" = stopping ]
} 2>/dev/null

# Nothing else of the stop shall wait for us for long.
stopping_for_long() {
  stopping && [ $(($(date +%s) - $(date -r postmaster.pid +%s))) -gt ${STOP_PATIENCE} ]
}

short_of_room() {
  set -- $(stat -f -c '%a %S' -- "$archive" pg_wal 2>/dev/null)
  while [ $# -ge 2 ]; do
    [ $(($1 * $2 / 1024)) -lt "$floor" ] && return 0
    shift 2
  done
  return 1
}

declare_gap() {
  # What this call has written makes room for the declaration.
  rm -f -- "$part" "$part.sha256"
  say "less than the floor of the disk is free: nothing is archived from $name on, until the next base backup"
  printf '{"schema":1,"since":"%s","from":"%s","reason":"disk"}\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$name" \\
    >"$archive/.tmp-gap" && sync "$archive/.tmp-gap" && mv -f "$archive/.tmp-gap" "$archive/gap.json" && sync "$archive" || {
    say "the gap cannot be written down: PostgreSQL keeps $name"
    exit 1
  }
  exit 0
}

give_up() {
  say "cannot archive $name: $1"
  stopping && exit 130
  short_of_room && declare_gap
  exit 1
}

[ -e "$archive/gap.json" ] && exit 0
if stopping_for_long; then
  say "$name is left for the next start"
  exit 130
fi
short_of_room && declare_gap
[ -d "$archive" ] || give_up "there is no folder $archive"
if [ -e "$archive/$name" ]; then
  cmp -s -- "$source" "$archive/$name" || give_up "it is there already with another content: $archive/$name"
  if [ -e "$archive/$name.sha256" ]; then
    sync "$archive" || give_up "the folder cannot be synced"
    exit 0
  fi
fi
sha256sum <"$source" >"$part.sha256" &
# What PostgreSQL left empty takes no room.
cp --sparse=always --preserve=timestamps -- "$source" "$part" && sync "$part" || give_up "it cannot be copied"
wait $! && read -r sum rest <"$part.sha256" && [ \${#sum} -eq 64 ] || give_up "it cannot be hashed"
printf '%s  %s\\n' "$sum" "$name" >"$part.sha256" && sync "$part.sha256" &&
  mv -f "$part.sha256" "$archive/$name.sha256" && mv -f "$part" "$archive/$name" && sync "$archive" ||
  give_up "it cannot be put into its place"
`;
}

/** Seconds after which a stop leaves what is not archived yet to the next start. */
const STOP_PATIENCE = 2;
