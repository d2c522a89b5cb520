import { tameLine } from './terminal.ts';

/** Any JSON value as lines of `name  value`, nested names joined with dots; lists of plain values on one line. */
export function renderFacts(value: unknown): string {
  const facts = flatten(value, '');
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.map(([name, text]) => `${name.padEnd(width)}  ${text}`.trimEnd()).join('\n');
}

function flatten(value: unknown, name: string): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[name, show(value)]];
  const isPlainList =
    Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
  if (isPlainList) return [[name, value.map(show).join(', ')]];
  return Object.entries(value).flatMap(([key, item]) => flatten(item, name === '' ? key : `${name}.${key}`));
}

function show(value: unknown): string {
  return value === null || value === undefined ? '-' : tameLine(String(value));
}
