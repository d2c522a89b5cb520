// Writes what is made from the tables that work: of the words of a plan its JSON Schema and their page, of the routes of
// the API its page, of the metrics their dashboard.
import { writeFileSync } from 'node:fs';
import { prometheusRules } from '../src/alerts/prometheus.ts';
import { apiPage } from '../src/api/reference.ts';
import { referencePage } from '../src/config/reference.ts';
import { schemaText } from '../src/config/schema.ts';
import { dashboardText } from '../src/metrics/dashboard.ts';

writeFileSync(new URL('../config/bulkhead.schema.json', import.meta.url), schemaText());
writeFileSync(new URL('../docs/plan.md', import.meta.url), referencePage());
writeFileSync(new URL('../docker/grafana/dashboard.json', import.meta.url), dashboardText());
writeFileSync(new URL('../docs/api.md', import.meta.url), apiPage());
writeFileSync(new URL('../docker/prometheus/alerts.yml', import.meta.url), prometheusRules());
