/** docs/behaviours.md: every law and every case, where a test proves it, and who fails it. Made of the titles of the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASE_CASES } from '../database/cases.ts';
import { LAWS } from './cases.ts';

const tests = join(import.meta.dirname, '..');

/** `law` counts supervision's, `case` the database's; a title begins with the word and a number. */
type Series = 'law' | 'case';

/** The proofs of each number of a series, as `file › title`. Throws where a title names a number there is not. */
export function readProofs(series: Series): ReadonlyMap<number, readonly string[]> {
  const numbered = series === 'law' ? LAWS : DATABASE_CASES;
  const proofs = new Map<number, string[]>(numbered.map(({ number }) => [number, []]));
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  for (const file of files.sort()) {
    for (const { number, title } of readTitles(series, readFileSync(join(tests, file), 'utf8'))) {
      const proven = proofs.get(number);
      if (proven === undefined) throw new Error(`${file} proves ${series} ${number}, which there is not`);
      proven.push(`\`test/${file}\` › ${title}`);
    }
  }
  return proofs;
}

/** Of `law 3: …` and of `laws 3, 5: …`; one title may prove several. */
function readTitles(series: Series, source: string): { readonly number: number; readonly title: string }[] {
  const titles = new RegExp(String.raw`\(\s*'${series}s? ([\d, ]+): ((?:[^'\\]|\\.)+)'`, 'g');
  return [...source.matchAll(titles)].flatMap(([, numbers = '', title = '']) =>
    numbers.split(',').map((number) => ({ number: Number(number), title: readable(title) })),
  );
}

/** As it is read, not as it is written; what a title of many stands for is left open. */
function readable(title: string): string {
  return title.replaceAll("\\'", "'").replaceAll('%s', '…').replaceAll('|', '\\|');
}

export function behavioursPage(): string {
  return `# The laws of supervision

<!-- Made by \`npm run behaviours\` from test/laws/cases.ts, test/database/cases.ts and the titles of the tests; change
those instead. -->

Forty cases in which supervisors fail their users, collected from the trackers and sources of eleven of them. Each holds
here, and the test that proves it is named. Tests in \`test/image\` run the image under Docker's default capabilities;
those in \`test/laws\` drive a real supervisor, alone or as PID 1 of a namespace; the others know no operating system.

| | what holds | where it is proven | who fails it |
|---|---|---|---|
${lawRows().join('\n')}

# The database that cannot be lost

Twenty-five cases in which databases inside images are lost, and whom it has happened to. What is *open* is not proven
yet.

| | what holds | where it is proven | who fails it |
|---|---|---|---|
${caseRows().join('\n')}
`;
}

function lawRows(): string[] {
  const proofs = readProofs('law');
  return LAWS.map(({ number, sentence, peers, argued }) =>
    row(number, sentence, [...(proofs.get(number) ?? []), ...remark(argued)], peers),
  );
}

function caseRows(): string[] {
  const proofs = readProofs('case');
  return DATABASE_CASES.map(({ number, sentence, peers, shownBy = [], argued }) => {
    const proven = [
      ...(proofs.get(number) ?? []),
      ...shownBy.map((file) => `\`${file}\``),
      ...remark(argued),
    ];
    return row(number, sentence, proven.length === 0 ? ['*open*'] : proven, peers);
  });
}

function remark(argued: string | undefined): string[] {
  return argued === undefined ? [] : [`*${argued}*`];
}

function row(number: number, sentence: string, proven: readonly string[], peers: string): string {
  return `| ${number} | ${sentence} | ${proven.join('<br>')} | ${peers.replaceAll('|', '\\|')} |`;
}
