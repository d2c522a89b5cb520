import { cpus, release, totalmem } from 'node:os';
import { figureIn, GOALS } from './goals.ts';
import type { Figure, Measure } from './measures/measure.ts';
import type { Peer } from './peers/peer.ts';

interface Result {
  readonly measure: Measure;
  readonly figures: readonly Figure[];
}

/** The page docs/benchmarks.md. */
export function renderReport(peers: readonly Peer[], results: readonly Result[], minutes: number): string {
  const parts = [
    '# Benchmarks',
    'Written by `npm run bench`; do not edit. All figures are of one run on one machine: read them against each other, not as absolutes.',
    `${new Date().toISOString().slice(0, 10)} · ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'} · ${Math.round(totalmem() / 1e9)} GB · Linux ${release()} · Node ${process.versions.node} · ${minutes.toFixed(1)} minutes · files on tmpfs`,
    ...results.map(renderMeasure),
    renderGoals(results.flatMap(({ figures }) => figures)),
    renderPeers(peers),
    FAIRNESS,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function renderMeasure({ measure, figures }: Result): string {
  const columns = [...new Set(figures.map(({ column }) => column))];
  const peers = [...new Set(figures.map(({ peer }) => peer))];
  const value = figureIn(figures);
  const rows = peers.map((peer) => row([peer, ...columns.map((column) => show(value(peer, column)))]));
  return [`## ${measure.title}\n`, `${measure.how}\n`, head(['', ...columns]), ...rows].join('\n');
}

function renderGoals(figures: readonly Figure[]): string {
  const value = figureIn(figures);
  const rows = GOALS.flatMap(({ what, judge, atLeast }) => {
    const judged = judge(value);
    if (Number.isNaN(judged.value) || Number.isNaN(judged.limit)) return [];
    const met = atLeast ? judged.value >= judged.limit : judged.value <= judged.limit;
    return [row([what, show(judged.value), show(judged.limit), met ? 'yes' : '**no**'])];
  });
  if (rows.length === 0) return '';
  return ['## Goals\n', head(['goal', 'Bulkhead', 'limit', 'met']), ...rows].join('\n');
}

function renderPeers(peers: readonly Peer[]): string {
  const rows = peers.map(({ name, version, settings }) => row([name, version() ?? '', settings]));
  return ['## Versions and settings\n', head(['', 'version', 'settings']), ...rows].join('\n');
}

const FAIRNESS = `## What is unfair, and to whom

- **To Bulkhead**: it captures, stamps, splits and shows every stream in all rows; s6 and runit run without loggers but in the log rows, and their services share the terminal's descriptors. Every child of Bulkhead also loses the rights it was not told to have, gets an OOM score and a tag of its own.
- **To s6 and runit**: a shell reads each run script; execline or a compiled script would be quicker. Several small processes cannot share what one big one shares: their memory grows with the services, Bulkhead's starts high.
- **To supervisord**: the Debian package is older than the newest release. Its second is a design, not a setting.
- **To pm2**: its main trade is Node programs in cluster mode, which this does not measure.
- **To the floor**: nothing; it does the least that can be done. Where "floor" captures output it does so by Node's own sockets, which no program can open again as /dev/stdout. "bare-floor" captures nothing.
- The memory of Node programs counts the pages of the Node binary by the share of each process that maps it; one more Node, the bench, runs beside them, as an application would.
- Child and supervisor share the processors: a figure is of the whole path, not of the supervisor alone.`;

function head(cells: readonly string[]): string {
  return `${row(cells)}\n|${cells.map(() => '---').join('|')}|`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function show(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(value < 10 ? 2 : 1);
}
