/** Why a server that is not ours cannot be used, in words for people, and whether waiting can help. */
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { ExternalServer } from '../config/plan.ts';

/** `away`: it may come; `refused`: it is there and will say the same until somebody changes something. */
export class ConnectFailure extends Failure {
  readonly kind: 'away' | 'refused';
  /** It knows the user, or claims not to: no other way to connect would change that. */
  readonly isPassword: boolean;

  constructor(
    kind: 'away' | 'refused',
    why: string,
    options: { readonly remedy?: string; readonly isPassword?: boolean; readonly cause?: unknown } = {},
  ) {
    const { remedy, cause } = options;
    super(why, { code: `database-${kind}`, ...(remedy === undefined ? {} : { remedy }), cause });
    this.kind = kind;
    this.isPassword = options.isPassword ?? false;
  }
}

export interface Attempt {
  readonly server: ExternalServer;
  readonly host: ExternalServer['hosts'][number];
  readonly login: { readonly user: string; readonly database: string };
}

export function explainConnect(error: unknown, { host, login }: Attempt): ConnectFailure {
  if (error instanceof ConnectFailure) return error;
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = codeOf(cause) ?? '';
  const text = messageOf(cause);
  const refused = (why: string, remedy: string, isPassword = false): ConnectFailure =>
    new ConnectFailure('refused', why, { remedy, isPassword, cause: error });
  if (cause instanceof Failure) return refused(cause.message, cause.remedy ?? '');
  switch (code) {
    case '28P01':
      return refused(
        `it does not accept the password of ${login.user}`,
        'set the right one in DATABASE_URL; characters such as @ : / # must be percent-encoded there',
        true,
      );
    case '28000':
      return refused(
        `it does not let ${login.user} in from here: ${text}`,
        'allow it in pg_hba.conf of that server, or ask for what it wants with sslmode in DATABASE_URL',
      );
    case '3D000':
      return refused(
        `it has no database ${login.database}`,
        `create it there (createdb -O ${login.user} ${login.database}), or name another in DATABASE_URL`,
        true,
      );
    case '42501':
      return refused(
        `${login.user} may not connect to ${login.database}`,
        `GRANT CONNECT ON DATABASE there`,
        true,
      );
    default:
      return explainOther(code, text, host, error);
  }
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no way to it',
  ENETUNREACH: 'no way to it',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
};

function explainOther(code: string, text: string, { host }: Attempt['host'], cause: unknown): ConnectFailure {
  const away = (why: string): ConnectFailure => new ConnectFailure('away', why, { cause });
  const network = NETWORK[code];
  if (network !== undefined) return away(network);
  if (/timeout/i.test(text)) return away('no answer');
  // Starting up, shutting down, full, or a proxy without its server.
  if (/^(57P0.|53...|08...|58...|XX...)$/.test(code)) return away(text);
  if (/Connection terminated|closed/i.test(text)) return away('it closed the connection');
  if (/does not support SSL/.test(text)) {
    return new ConnectFailure('refused', 'it offers no encryption', {
      remedy: 'write sslmode=prefer or disable into DATABASE_URL if that is meant, or set up TLS there',
      cause,
    });
  }
  if (/^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_SSL|CRL_)/.test(code)) {
    return new ConnectFailure('refused', `its certificate is not accepted: ${text}`, {
      remedy: `name the root that signed it with sslrootcert= in DATABASE_URL, and connect to a name it was made for (now ${host})`,
      cause,
    });
  }
  return new ConnectFailure('refused', text, { cause });
}
