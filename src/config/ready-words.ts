/** `ready`: how a service says itself that it is ready. */
import type { ReadyPlan } from './plan-runs.ts';
import { flag, integer, regularExpression } from './scalars.ts';
import { byKind, type Reading, type Shape } from './shape.ts';
import type { MapValue, ScalarValue } from './tree.ts';
import { type Stanza, stanza } from './words.ts';

const readyWords = {
  fd: {
    shape: integer(3, 9),
    doc: 'The process writes a newline to this descriptor when it is ready (as in s6).',
    examples: [3],
  },
  log: {
    shape: regularExpression,
    doc: 'It is ready when a line of its log matches.',
    examples: ['listening on'],
  },
  notify: {
    shape: flag,
    doc: 'true: it says READY=1 as systemd has it (sd_notify). STATUS= is shown while it starts, STOPPING=1 says that it stops by itself, EXTEND_TIMEOUT_USEC= gives its start or its stop more time, within the stop of the container.',
  },
  ipc: {
    shape: flag,
    doc: "true: a Node program says process.send('ready') (as with pm2's wait_ready). It must be the command itself, or be started by it without another Node (npm start is one) in between.",
  },
} as const;

type ReadyStanza = Stanza<typeof readyWords>;

const words = stanza(readyWords, {
  aliases: {
    sd_notify: '`notify: true`',
    type: '`notify: true`',
    wait_ready: '`ipc: true`',
    message: '`ipc: true`',
  },
});

/** `ready: ipc` is short for `ready: { ipc: true }`. */
const short: Shape<ReadyStanza> = {
  read: (value, where, reading) =>
    words.read(value.kind === 'scalar' && isShort(value) ? asMap(value) : value, where, reading),
  schema: { enum: ['notify', 'ipc'] },
};

export const ready: Shape<ReadyStanza> = byKind('a map: fd, log, notify or ipc', {
  scalar: short,
  map: words,
});

export function buildReady(
  read: ReadyStanza | undefined,
  where: string,
  { problems }: Reading,
): ReadyPlan | undefined {
  if (!read) return undefined;
  const { fd, log, notify, ipc, at } = read;
  const said = Object.entries({ fd, log, notify, ipc }).filter(
    ([, word]) => word !== undefined && word !== false,
  );
  if (said.length > 1) {
    return problems.error(
      at.place,
      'two-probes',
      `${where}.ready has both ${said.map(([word]) => word).join(' and ')}`,
      { suggestion: 'keep one of them' },
    );
  }
  if (fd !== undefined) return { kind: 'fd', fd };
  if (log !== undefined) return { kind: 'log', pattern: log };
  if (notify) return { kind: 'notify' };
  if (ipc) return { kind: 'ipc' };
  const tried = at.kind === 'map' && at.entries.size > 0;
  return tried
    ? undefined
    : problems.error(at.place, 'missing-word', `${where}.ready says nothing`, {
        suggestion: 'write { fd: 3 }, { log: "listening on" }, { notify: true } or { ipc: true }',
      });
}

function isShort({ text }: ScalarValue): boolean {
  return text === 'notify' || text === 'ipc';
}

function asMap(value: ScalarValue): MapValue {
  const entries = new Map([
    [String(value.text), { keyPlace: value.place, value: { ...value, text: 'true' } }],
  ]);
  return { kind: 'map', entries, place: value.place, tag: value.tag };
}
