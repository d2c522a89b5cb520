/** A message in the words of each kind of sink. Pure. */
import type { SinkPlan } from '../../config/plan-alerts.ts';
import type { Handout, Outgoing } from '../post.ts';
import { alertmanager } from './alertmanager.ts';
import { messageOf } from './message.ts';
import { sentry } from './sentry.ts';
import { slack } from './slack.ts';
import type { Told } from './told.ts';
import { webhook } from './webhook.ts';

/** A heartbeat tells nothing of alerts. */
export function render(sink: SinkPlan, told: Told): Outgoing | Handout {
  switch (sink.type) {
    case 'alertmanager':
      return alertmanager(sink.url, told);
    case 'slack':
      return slack(sink.url, told);
    case 'sentry':
      return sentry(sink.url, told);
    case 'heartbeat':
      return { url: sink.url, method: 'GET', headers: {}, body: '' };
    case 'exec':
      return { sink: sink.name, message: messageOf(told) };
    case 'webhook':
      return webhook(sink.url, sink.secret, told);
  }
}
