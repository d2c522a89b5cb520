/**
 * Finds out whether any of many values occurs in a block of lines, at a price that hardly depends on how many they
 * are. Searching for one value after the other, or for an alternation of them, costs as much as all else that is done
 * to a line; this looks at four bytes out of thirty-two (of fewer where a value is short): whatever occurs must cover
 * one of the places looked at, so the four bytes there are four of its own.
 */

/** From each place looked at to the next; a value of `stride + 3` bytes covers one of them wherever it begins. */
const STRIDES = [32, 16, 8, 4] as const;
const WORD = 4;
/** Of a table in which a word is only roughly looked up: 8 KiB, which stay in the processor's first cache. */
const TABLE_BITS = 13;
/** Shorter values need closer places, which are looked at for them alone. */
const SHORT = 16 + WORD - 1;
const SPREAD = 0x9e3779b1 | 0;

interface Occurrence {
  readonly value: Buffer;
  /** Where in the value the word stands. */
  readonly offset: number;
}

interface Group {
  readonly stride: number;
  readonly table: Uint8Array;
  readonly words: Map<number, Occurrence[]>;
}

/** What is shorter is found at no place for certain. */
export const SHORTEST = STRIDES[3] + WORD - 1;

export class SecretSearch {
  private readonly groups: readonly Group[];

  /** @param values none shorter than `SHORTEST` */
  constructor(values: readonly Buffer[]) {
    const short = values.filter(({ length }) => length < SHORT);
    const long = values.filter(({ length }) => length >= SHORT);
    this.groups = [long, short].flatMap((each) => groupOf(each) ?? []);
  }

  /** Whether one of the values stands between these places. */
  finds(bytes: Buffer, start: number, end: number): boolean {
    for (const group of this.groups) if (findsOf(group, bytes, start, end)) return true;
    return false;
  }
}

/** All by the places the shortest of them needs. */
function groupOf(values: readonly Buffer[]): Group | undefined {
  if (values.length === 0) return undefined;
  const shortest = Math.min(...values.map(({ length }) => length));
  const stride = STRIDES.find((each) => shortest >= each + WORD - 1) ?? WORD;
  const group: Group = { stride, table: new Uint8Array(1 << TABLE_BITS), words: new Map() };
  for (const value of values) enter(value, group);
  return group;
}

/** One word for each way the value may lie between the places looked at. */
function enter(value: Buffer, { stride, table, words }: Group): void {
  for (let offset = 0; offset < stride; offset += 1) {
    const word = value.readInt32LE(offset);
    table[hash(word)] = 1;
    words.set(word, [...(words.get(word) ?? []), { value, offset }]);
  }
}

function findsOf({ stride, table, words }: Group, bytes: Buffer, start: number, end: number): boolean {
  const { byteOffset } = bytes;
  const memory = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
  const step = stride / WORD;
  // The places are those of the memory the bytes lie in: there four bytes are one number.
  const first = Math.ceil((byteOffset + start) / stride) * step;
  const last = (byteOffset + end) >> 2;
  for (let at = first; at < last; at += step) {
    const word = memory[at] as number;
    if (table[hash(word)] === 0) continue;
    for (const { value, offset } of words.get(word) ?? []) {
      const from = at * WORD - byteOffset - offset;
      const isInside = from >= start && from + value.length <= end;
      if (isInside && bytes.compare(value, 0, value.length, from, from + value.length) === 0) return true;
    }
  }
  return false;
}

function hash(word: number): number {
  return Math.imul(word, SPREAD) >>> (32 - TABLE_BITS);
}
