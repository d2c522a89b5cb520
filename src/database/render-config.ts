/** The three configuration files of the server, as text. Pure. */
import type { DatabasePlan } from '../config/plan.ts';
import { SUPERUSER } from '../postgres/layout.ts';
import type { TunedSetting } from './tuning.ts';

/** Order is precedence: ours, tuned, the plan's, and last what the operator put on the volume. */
export function renderSettings(
  tuned: readonly TunedSetting[],
  plan: Pick<DatabasePlan, 'settings'>,
  overrides: string | undefined,
  major: number,
): string {
  const lines = [
    '# Written by Bulkhead at every start of the database; changes here are lost.',
    ...OURS.map(([name, value]) => `${name} = ${quoteSetting(value)}`),
    ...(major >= 14 ? [GONE_CLIENTS] : []),
    ...(major >= 15 ? [TOLD_RECOVERY] : []),
    ...tuned.map(({ name, value, reason }) => `${name} = ${quoteSetting(value)}  # ${reason}`),
  ];
  const own = Object.entries(plan.settings);
  if (own.length > 0)
    lines.push('# from the plan', ...own.map(([name, value]) => `${name} = ${quoteSetting(value)}`));
  if (overrides !== undefined) lines.push(`include_dir = ${quoteSetting(overrides)}`);
  return `${lines.join('\n')}\n`;
}

/**
 * A server that works for a client that was killed would go on to the end, with all its locks: the next try of a
 * migration would wait for the last one.
 */
const GONE_CLIENTS = "client_connection_check_interval = '1s'";

/** Of its default, half: a recovery is told in percent by it. */
const TOLD_RECOVERY = "log_startup_progress_interval = '5s'";

const OURS: readonly (readonly [string, string])[] = [
  ['password_encryption', 'scram-sha-256'],
  ['unix_socket_permissions', '0777'],
  // stderr is a pipe of the supervisor, which keeps and rotates the log.
  ['logging_collector', 'off'],
  ['log_destination', 'stderr'],
  ['log_line_prefix', '[%p] %q%u@%d '],
  ['log_timezone', 'UTC'],
  ['timezone', 'UTC'],
  ['datestyle', 'iso, mdy'],
  ['lc_messages', 'C'],
  ['default_text_search_config', 'pg_catalog.english'],
  ['dynamic_shared_memory_type', 'posix'],
];

/**
 * Nothing is trusted and nothing but loopback can be reached, unless the plan says `open`: then the application's role
 * alone, in its database alone. The superuser has no password where the system can
 * vouch for its user; `root` too, because in the container root could become that user anyway.
 */
export function renderHba(peer: boolean, open?: Pick<DatabasePlan, 'name' | 'user'>): string {
  const method = peer ? `peer map=${SUPERUSER}` : 'scram-sha-256';
  return [
    `local all ${SUPERUSER} ${method}`,
    `local replication ${SUPERUSER} ${method}`,
    'local all all scram-sha-256',
    'host all all 127.0.0.1/32 scram-sha-256',
    'host all all ::1/128 scram-sha-256',
    ...(open ? [`host ${quoteName(open.name)} ${quoteName(open.user)} all scram-sha-256`] : []),
    '',
  ].join('\n');
}

/** Quoted, a name means itself and no keyword. */
function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function renderIdent(systemUser: string): string {
  return `${SUPERUSER} "${systemUser}" ${SUPERUSER}\n${SUPERUSER} root ${SUPERUSER}\n`;
}

function quoteSetting(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
