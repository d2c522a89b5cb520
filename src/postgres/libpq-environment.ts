/** What a URL says, as the variables libpq reads: for tools (psql, pg_dump), whose arguments everybody can see. */
import type { ExternalServer } from '../config/plan.ts';

/** libpq, "Environment Variables"; a parameter that is not here is another client's, or has none. */
const VARIABLES: Readonly<Record<string, string>> = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcertmode: 'PGSSLCERTMODE',
  sslcrl: 'PGSSLCRL',
  sslcrldir: 'PGSSLCRLDIR',
  sslsni: 'PGSSLSNI',
  sslnegotiation: 'PGSSLNEGOTIATION',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  channel_binding: 'PGCHANNELBINDING',
  gssencmode: 'PGGSSENCMODE',
  krbsrvname: 'PGKRBSRVNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
  client_encoding: 'PGCLIENTENCODING',
  require_auth: 'PGREQUIREAUTH',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  load_balance_hosts: 'PGLOADBALANCEHOSTS',
};

/** Holds the password. */
export function libpqEnvironment(
  { hosts, parameters }: ExternalServer,
  login: { readonly user: string; readonly password: string | undefined; readonly name: string },
): Record<string, string> {
  const env: Record<string, string> = {
    PGHOST: hosts.map(({ host }) => host).join(','),
    PGPORT: hosts.map(({ port }) => port).join(','),
    PGUSER: login.user,
    PGDATABASE: login.name,
    ...(login.password === undefined ? {} : { PGPASSWORD: login.password }),
  };
  if (hosts.some(({ host, address }) => host !== address)) {
    env.PGHOSTADDR = hosts.map(({ address }) => address).join(',');
  }
  for (const [name, value] of Object.entries(parameters)) {
    const variable = VARIABLES[name];
    if (variable !== undefined) env[variable] = value;
  }
  // node-postgres's word for what libpq calls require.
  if (env.PGSSLMODE === 'no-verify') env.PGSSLMODE = 'require';
  return env;
}
