/** A strict reader of both formats of an exposition: throws at what Prometheus or its linter would refuse. */

export interface Family {
  readonly type: string;
  readonly help: string;
  /** Values by their series, as `name{label="value"}`. */
  readonly series: Map<string, number>;
}

const NAME = /^[a-z][a-z0-9_]*$/;
const SERIES = /^([a-z][a-z0-9_]*)(?:\{(.*)\})? (-?[\d.e+-]+|\+Inf)$/s;
const LABEL = /([a-z][a-z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;

/** @param isOpen OpenMetrics instead of the text format 0.0.4 */
export function readExposition(text: string, isOpen = false): Map<string, Family> {
  const families = new Map<string, Family>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  if (isOpen && lines.pop() !== '# EOF') throw new Error('# EOF is missing');
  let helpOf = '';
  let help = '';
  let name = '';
  let family: Family | undefined;
  for (const line of lines) {
    const [, word, about = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (word === 'HELP') [helpOf, help] = [about, rest];
    else if (word === 'TYPE') {
      if (helpOf !== about || !NAME.test(about) || families.has(about)) throw new Error(`bad head: ${line}`);
      const isCounter = rest === 'counter';
      if (isCounter !== (isOpen ? isCounter : about.endsWith('_total')))
        throw new Error(`no _total: ${line}`);
      if (isOpen && about.endsWith('_total')) throw new Error(`_total in a family of OpenMetrics: ${line}`);
      name = about;
      family = { type: rest, help, series: new Map() };
      families.set(name, family);
    } else if (line !== '' || isOpen) readSample(line, name, family, isOpen);
  }
  for (const [each, { type, series }] of families) {
    if (series.size === 0) throw new Error(`${each} has no value`);
    if (type === 'histogram') checkHistogram(each, series);
  }
  return families;
}

function readSample(line: string, name: string, family: Family | undefined, isOpen: boolean): void {
  const [, series = '', labels = '', value = ''] = SERIES.exec(line) ?? [];
  const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  const allowed = isOpen && family?.type === 'counter' ? ['_total'] : suffixes;
  if (!family || !allowed.some((suffix) => series === name + suffix)) throw new Error(`homeless: ${line}`);
  LABEL.lastIndex = 0;
  const names = new Set<string>();
  while (LABEL.lastIndex < labels.length) {
    const label = LABEL.exec(labels)?.[1];
    if (label === undefined || names.has(label)) throw new Error(`bad labels: ${line}`);
    names.add(label);
  }
  const key = labels === '' ? series : `${series}{${labels}}`;
  if (family.series.has(key)) throw new Error(`told twice: ${line}`);
  family.series.set(key, Number(value.replace('+Inf', 'Infinity')));
}

function checkHistogram(name: string, series: ReadonlyMap<string, number>): void {
  const last = new Map<string, number>();
  for (const [key, value] of series) {
    if (!key.startsWith(`${name}_bucket`)) continue;
    const group = key.replace(/,?le="[^"]*"/, '');
    if (value < (last.get(group) ?? 0)) throw new Error(`${key} falls`);
    last.set(group, value);
    if (!key.includes('le="+Inf"')) continue;
    const count = series.get(group.replace('_bucket', '_count').replace('{}', ''));
    if (count !== value) throw new Error(`${key} is not the count`);
  }
}
