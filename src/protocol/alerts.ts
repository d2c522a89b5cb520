/** Alerts as people see them and as they are told. Times are ISO 8601. */
import type { RuleName, Severity } from '../config/alert-rules.ts';
import type { SCHEMA_VERSION } from './schema-version.ts';

export interface AlertView {
  readonly alertname: RuleName;
  /** The service, schedule or sink it is about; none: the product. */
  readonly service?: string;
  readonly severity: Severity;
  /** `pending`: it is so, but not yet for long enough. */
  readonly status: 'pending' | 'firing' | 'resolved';
  /** The same for as long as it is the same alert: of rule and service. */
  readonly fingerprint: string;
  readonly summary: string;
  readonly description: string;
  readonly value: number;
  readonly threshold: number;
  readonly startsAt: string;
  /** Of a resolved one. */
  readonly endsAt?: string;
  /** A person wants to hear nothing of it until then. */
  readonly silencedUntil?: string;
  /** Another alert of the same service says it already. */
  readonly inhibitedBy?: string;
}

export interface SilenceView {
  readonly id: string;
  readonly alertname: RuleName;
  /** Only of this service. */
  readonly service?: string;
  readonly until: string;
  readonly comment?: string;
}

/** How it goes with one receiver. */
export interface SinkView {
  readonly name: string;
  readonly type: string;
  readonly lastSuccess?: string;
  /** Of tries in a row; 0: all is well. */
  readonly failures: number;
  readonly lastError?: string;
}

/** The answer of GET /alerts. */
export interface AlertsAnswer {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  /** false: the plan has no alerts, and nothing is judged. */
  readonly enabled: boolean;
  readonly alerts: readonly AlertView[];
  readonly silences: readonly SilenceView[];
  readonly sinks: readonly SinkView[];
  /** Names of those that are off, for their address is empty. */
  readonly sinksOff?: readonly string[];
}

/** The answer of POST /alerts/test: what came of a message to each sink. */
export interface AlertTestAnswer {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly results: readonly { readonly sink: string; readonly ok: boolean; readonly error?: string }[];
  /** As of AlertsAnswer. */
  readonly sinksOff?: readonly string[];
}

/** The answer of POST /v1/alerts/tell: whether the command of a sink took a message. */
export interface ToldAnswer {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly ok: boolean;
  /** Of a failure: one sentence. */
  readonly error: string;
}
