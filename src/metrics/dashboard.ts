/** The Grafana dashboard, made of the table of metrics. Pure. */
import { METRICS, type Metric, ROWS } from './table.ts';

/** In the grid of Grafana, which is 24 wide. */
const WIDTH = 8;
const HEIGHT = 7;

/** As it stands in docker/grafana/dashboard.json; Grafana asks for its data source when it is imported. */
export function dashboardText(): string {
  const panels: object[] = [];
  let y = 0;
  for (const row of ROWS) {
    const own = Object.entries<Metric>(METRICS).filter(([, { panel }]) => panel?.row === row);
    panels.push({
      type: 'row',
      id: panels.length + 1,
      title: row,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    for (const [index, [name, metric]] of own.entries()) {
      const at = { x: (index * WIDTH) % 24, y: y + Math.floor((index * WIDTH) / 24) * HEIGHT };
      panels.push(panelOf(panels.length + 1, name, metric, { ...at, w: WIDTH, h: HEIGHT }));
    }
    y += Math.ceil((own.length * WIDTH) / 24) * HEIGHT;
  }
  const dashboard = {
    __inputs: [
      {
        name: 'DS_PROMETHEUS',
        label: 'Prometheus',
        type: 'datasource',
        pluginId: 'prometheus',
        pluginName: 'Prometheus',
      },
    ],
    uid: 'bulkhead',
    title: 'Bulkhead',
    tags: ['bulkhead'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        {
          name: 'instance',
          type: 'query',
          label: 'Container',
          datasource: DATASOURCE,
          query: { query: 'label_values(bulkhead_up, instance)', refId: 'instance' },
          definition: 'label_values(bulkhead_up, instance)',
          includeAll: true,
          multi: true,
          refresh: 2,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const DATASOURCE = { type: 'prometheus', uid: '${DS_PROMETHEUS}' };
const CHOSEN = 'instance=~"$instance"';

function panelOf(
  id: number,
  name: string,
  { help, labels = [], type, panel }: Metric,
  gridPos: object,
): object {
  return {
    type: 'timeseries',
    id,
    title: panel?.title,
    description: `${name}: ${help}`,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit: panel?.unit, min: 0 }, overrides: [] },
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: [
      {
        refId: 'A',
        datasource: DATASOURCE,
        expr: queryOf(name, type, labels, panel?.query),
        legendFormat: labels.length === 0 ? '{{instance}}' : labels.map((label) => `{{${label}}}`).join(' '),
      },
    ],
  };
}

function queryOf(name: string, type: Metric['type'], labels: readonly string[], query = '$name'): string {
  if (type === 'histogram') {
    const by = ['le', 'instance', ...labels].join(', ');
    return `histogram_quantile(0.95, sum by (${by}) (rate(${name}_bucket{${CHOSEN}}[5m])))`;
  }
  // Every metric in it, with the container that was chosen.
  return query
    .replaceAll('$name', name)
    .replaceAll(/\b(bulkhead_\w+)(\{)?/g, (_, metric: string, brace?: string) =>
      brace === undefined ? `${metric}{${CHOSEN}}` : `${metric}{${CHOSEN},`,
    );
}
