/** The tokens of the API that people made beside the plan's; their values are known to those they were given to alone. */
import type { Role } from '../config/roles.ts';
import type { SCHEMA_VERSION } from './schema-version.ts';

/** As the volume keeps it. */
export interface StoredToken {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the value, in hex: 32 random bytes cannot be found again from it. */
  readonly sha256: string;
  /** ISO 8601 */
  readonly createdAt: string;
  /** ISO 8601; from then on it opens nothing. */
  readonly expiresAt?: string;
}

/** As people see it. */
export interface TokenView extends Omit<StoredToken, 'sha256' | 'createdAt'> {
  /** Of those that people made. */
  readonly createdAt?: string;
  /** `environment`: BULKHEAD_TOKEN; `generated`: made by us, for nobody set one; `plan`: api.tokens; `volume`: made by `token create`. */
  readonly from: 'environment' | 'generated' | 'plan' | 'volume';
}

/** `GET /v1/tokens`. */
export interface TokensAnswer {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tokens: readonly TokenView[];
  /** Asked for by the API alone: what it compares with. */
  readonly stored?: readonly StoredToken[];
}
