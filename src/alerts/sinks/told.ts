import type { RuleName } from '../../config/alert-rules.ts';
import type { Alert } from '../machine.ts';

/** As any other, or the one that people try their sinks with. */
export type ToldAlert = Omit<Alert, 'rule'> & { readonly rule: RuleName | 'Test' };

/** A message with what belongs to it besides. */
export interface Told {
  readonly status: 'firing' | 'resolved' | 'test';
  readonly alerts: readonly ToldAlert[];
  readonly isLast: boolean;
  /** Of the product. */
  readonly name: string;
  readonly host: string;
  /** Where the alerts are shown. */
  readonly url: string;
  /** The newest lines of the services it is about. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  /** ISO 8601 */
  readonly iso: string;
  /** ms until what still fires is told again. */
  readonly repeat: number;
}
