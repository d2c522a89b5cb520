/** What of the alerts /health warns of. Pure. */
import type { Alerts } from './machine.ts';
import { summaryOf } from './sinks/words.ts';

/**
 * A warning that is only a warning leaves the product well; that nobody hears of alerts does not. Of a disk that fills
 * up /health warns at once: who asks there need not be woken, and may have room made before anybody is.
 */
export function worstOf(alerts: Alerts): string | undefined {
  // What is over goes on firing for a while, so that nobody is told twice; the product is well again at once.
  const known = [...alerts.values()].filter(({ wellAt }) => wellAt === undefined);
  const firing = known.filter(
    ({ phase, severity, rule }) =>
      phase === 'firing' && (severity === 'critical' || rule === 'NotifyFailing'),
  );
  const [first, ...others] = firing;
  if (first !== undefined)
    return `alert ${summaryOf(first)}${others.length === 0 ? '' : ` (and ${others.length} more)`}`;
  return known.find(({ phase, rule }) => phase !== 'resolved' && rule.startsWith('Disk'))?.description;
}
