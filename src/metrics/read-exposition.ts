/** Prometheus' text format as somebody else's program writes it: what cannot be read is passed over. Pure. */

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** `name{label="value",…} value`, with a time or an exemplar behind it that nobody asks for. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"/g;

/** @param wanted other families are not looked at */
export function* readSamples(text: string, wanted: (name: string) => boolean): Iterable<ReadSample> {
  for (const line of text.split('\n')) {
    const [, name, labels, value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || value === undefined || !wanted(name)) continue;
    yield { name, labels: readLabels(labels ?? ''), value: value === '+Inf' ? Infinity : Number(value) };
  }
}

function readLabels(text: string): ReadSample['labels'] {
  return Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name = '', value = '']) => [
      name,
      value.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign)),
    ]),
  );
}
