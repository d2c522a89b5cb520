import type { RuleName } from '../config/alert-rules.ts';
import type { AlertsAnswer, AlertTestAnswer, SilenceView } from '../protocol/alerts.ts';

/** What the routes ask of the room of alerts. */
export interface AlertDesk {
  view(): AlertsAnswer;
  /** Undefined: there is no sink of this name. */
  test(sink: string | undefined): Promise<AlertTestAnswer | undefined>;
  silence(asked: {
    readonly alertname: RuleName;
    readonly service: string | undefined;
    readonly ms: number;
    readonly comment: string | undefined;
  }): Promise<SilenceView>;
  /** false: there is none of this id. */
  unsilence(id: string): Promise<boolean>;
}
