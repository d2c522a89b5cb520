import type { Outgoing } from '../post.ts';
import type { Told } from './told.ts';
import { byWeight, HELD_BACK, summaryOf } from './words.ts';

/** Slack refuses a section of more than 3000 characters. */
const LONGEST = 2900;
const MOST_ALERTS = 20;

/** An incoming webhook. */
export function slack(url: string, told: Told): Outgoing {
  const mark = { firing: ':rotating_light:', resolved: ':white_check_mark:', test: ':mega:' }[told.status];
  const [worst] = byWeight(told.alerts);
  const more = told.alerts.length > 1 ? ` and ${told.alerts.length - 1} more` : '';
  const title = `${mark} ${told.name}: ${told.status}${worst ? ` ${summaryOf(worst)}` : ''}${more}`;
  const lines = byWeight(told.alerts)
    .slice(0, MOST_ALERTS)
    .map((alert) => `*${alert.rule}* ${alert.service} (${alert.severity}): ${alert.description}`);
  if (told.isLast) lines.push(`_${HELD_BACK}_`);
  const blocks = [
    { type: 'section', text: { type: 'mrkdwn', text: escapeMarks(title).slice(0, LONGEST) } },
    { type: 'section', text: { type: 'mrkdwn', text: escapeMarks(lines.join('\n')).slice(0, LONGEST) } },
  ];
  return {
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: escapeMarks(title).slice(0, LONGEST), blocks }),
  };
}

/** The three characters that Slack reads as its own: nobody is called by a line of a log. */
function escapeMarks(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
