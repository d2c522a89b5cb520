/** Reads a whole dump once without touching the database, and refuses what could not become whole. */
import { Failure } from '../base/errors.ts';
import { readableName } from '../postgres/sql-text.ts';
import { type ClusterFacts, ClusterInspection } from './cluster-inspection.ts';
import { Inspection, type SqlFacts } from './inspection.ts';
import { type SplitEnd, SqlSplitter } from './sql-splitter.ts';
import type { RuleContext } from './statement-rules.ts';

export interface InspectOptions {
  /** What people call the dump. */
  readonly name: string;
  readonly context: RuleContext;
  /** pg_dump's last comment must be there. Not so for what pg_restore writes, which says by its exit that it is whole. */
  readonly needsTrailer: boolean;
  /** SQL that pg_dump did not write, and which therefore has no such comment, is taken for whole. */
  readonly trustsIncomplete?: boolean;
}

export interface Inspected extends SqlFacts {
  /** Only of a dump of pg_dumpall; the other facts are then the sums over its databases. */
  readonly cluster?: ClusterFacts;
}

const TRAILER = /-- PostgreSQL database dump complete\r?\n--\s*(\\unrestrict \S+\s*)?$/;
const CLUSTER = /^-- PostgreSQL database cluster dump/m;
const CLUSTER_TRAILER = /-- PostgreSQL database cluster dump complete\r?\n--\s*$/;

/** Throws a Failure that names the dump, the line and the cause. */
export async function inspectSql(text: AsyncIterable<Buffer>, options: InspectOptions): Promise<Inspected> {
  const { name, context } = options;
  let inspection: Inspection | ClusterInspection = new Inspection(name, context);
  const splitter = new SqlSplitter();
  let bytes = 0;
  let head = '';
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of text) {
    bytes += chunk.length;
    if (head.length < 4096) {
      head += chunk.toString('latin1', 0, 4096);
      refuseOthers(head, options);
      if (options.needsTrailer && inspection instanceof Inspection && CLUSTER.test(head))
        inspection = new ClusterInspection(name, context);
    }
    tail = Buffer.concat([tail, chunk.subarray(-1024)]).subarray(-1024);
    for (const piece of splitter.push(chunk)) inspection.take(piece);
  }
  const rest = splitter.end();
  let step = rest.next();
  while (!step.done) {
    inspection.take(step.value);
    step = rest.next();
  }
  if (options.needsTrailer) refuseUnfinished(head, tail.toString('latin1'), step.value, inspection, options);
  return { bytes, ...inspection.facts() };
}

function refuseOthers(head: string, { name, needsTrailer }: InspectOptions): void {
  if (!needsTrailer) return;
  const other = /^-- (MySQL|MariaDB) dump|^(PRAGMA) foreign_keys/m.exec(head);
  if (other) {
    throw new Failure(`cannot import ${name}: it is of ${other[1] ?? 'SQLite'}, not of PostgreSQL`, {
      remedy: 'convert it first, e.g. with pgloader',
    });
  }
  if (head.startsWith('PGDMP')) {
    throw new Failure(`cannot import ${name}: it is a custom archive, compressed once more`, {
      remedy: 'decompress the file; the archive inside is compressed already',
    });
  }
}

function refuseUnfinished(
  head: string,
  tail: string,
  end: SplitEnd,
  at: Inspection | ClusterInspection,
  { name, trustsIncomplete }: InspectOptions,
): void {
  const cut = (where: string): never => {
    throw new Failure(`cannot import ${name}: it is cut off ${where}`, {
      remedy: 'copy or make the dump again; nothing was changed',
    });
  };
  if (end === 'data')
    cut(`in the rows of ${readableName(at.table)} (after ${at.facts().rows.toLocaleString('en-US')} rows)`);
  const cluster = at instanceof ClusterInspection;
  const made = cluster || /^-- PostgreSQL database dump/m.test(head);
  if ((made || trustsIncomplete) && end === 'quoted') cut(`inside a string or comment after line ${at.line}`);
  if (made && end === 'statement') cut(`inside a statement after line ${at.line}`);
  if (cluster ? CLUSTER_TRAILER.test(tail) : TRAILER.test(tail)) return;
  if (made) cut(`before its last line, "PostgreSQL database ${cluster ? 'cluster ' : ''}dump complete"`);
  if (trustsIncomplete) return;
  throw new Failure(
    `cannot import ${name}: it is not a dump that pg_dump made, so nothing tells whether it is whole`,
    {
      remedy:
        'make a dump with pg_dump; SQL of your own belongs under `init` of the database in the plan, or set `import: { trust_incomplete: true }`',
    },
  );
}
