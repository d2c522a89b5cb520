import type { AlertsRoom } from '../alerts/alerts.ts';

/** What the routes ask of the room of alerts. */
export type AlertDesk = Pick<AlertsRoom, 'view' | 'test' | 'silence' | 'unsilence'>;
