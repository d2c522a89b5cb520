/** The rules as a rules file of Prometheus, for who has its alerts come from there. Pure. */
import { ALERT_RULES, type AlertRule, RULE_NAMES } from '../config/alert-rules.ts';

/** `docker/prometheus/alerts.yml`; rules that no metric can tell are left out, and named. */
export function prometheusRules(): string {
  const isKnown = (name: (typeof RULE_NAMES)[number]): boolean => 'promql' in ALERT_RULES[name];
  const rules = RULE_NAMES.filter(isKnown).map((name) => {
    const { severity, what, threshold = 0, for: lasting, keep, promql = '' }: AlertRule = ALERT_RULES[name];
    return [
      `      - alert: Bulkhead${name}`,
      `        expr: ${quote(promql.replace('{}', String(threshold)))}`,
      `        for: ${lasting / 1000}s`,
      `        keep_firing_for: ${keep / 1000}s`,
      `        labels: { severity: ${severity} }`,
      `        annotations: { summary: ${quote(what)} }`,
    ].join('\n');
  });
  const others = RULE_NAMES.filter((name) => !isKnown(name));
  return `# Rules for Prometheus 2.42 or newer, over the metrics of Bulkhead. Made by \`npm run schema\` from the rules that
# Bulkhead judges itself. Only Bulkhead tells: ${others.join(', ')}.
groups:
  - name: bulkhead
    rules:
      - alert: BulkheadAway
        expr: 'up{job="bulkhead"} == 0 or bulkhead_up == 0'
        for: 60s
        labels: { severity: critical }
        annotations: { summary: 'Bulkhead does not answer' }
${rules.join('\n')}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
