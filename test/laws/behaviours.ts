/** docs/behaviours.md: every law, where a test proves it, and who fails it. Made of the titles of the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAWS } from './cases.ts';

const tests = join(import.meta.dirname, '..');

/** The proofs of each law by its number, as `file › title`. */
export function readProofs(): ReadonlyMap<number, readonly string[]> {
  const proofs = new Map<number, string[]>(LAWS.map(({ number }) => [number, []]));
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  for (const file of files.sort()) {
    for (const { number, title } of readTitles(readFileSync(join(tests, file), 'utf8'))) {
      const proven = proofs.get(number);
      if (proven === undefined) throw new Error(`${file} proves law ${number}, which there is not`);
      proven.push(`\`test/${file}\` › ${title}`);
    }
  }
  return proofs;
}

/** Of `law 3: …` and of `laws 3, 5: …`; one title may prove several. */
function readTitles(source: string): { readonly number: number; readonly title: string }[] {
  return [...source.matchAll(/\(\s*'laws? ([\d, ]+): ((?:[^'\\]|\\.)+)'/g)].flatMap(
    ([, numbers = '', title = '']) =>
      numbers.split(',').map((number) => ({ number: Number(number), title: readable(title) })),
  );
}

/** As it is read, not as it is written; what a title of many stands for is left open. */
function readable(title: string): string {
  return title.replaceAll("\\'", "'").replaceAll('%s', '…').replaceAll('|', '\\|');
}

export function behavioursPage(): string {
  const proofs = readProofs();
  const rows = LAWS.map(({ number, sentence, peers, argued }) => {
    const proven = [...(proofs.get(number) ?? []), ...(argued === undefined ? [] : [`*${argued}*`])];
    return `| ${number} | ${sentence} | ${proven.join('<br>')} | ${peers} |`;
  });
  return `# The laws of supervision

<!-- Made by \`npm run behaviours\` from test/laws/cases.ts and the titles of the tests; change those instead. -->

Forty cases in which supervisors fail their users, collected from the trackers and sources of eleven of them. Each holds
here, and the test that proves it is named. Tests in \`test/image\` run the image under Docker's default capabilities;
those in \`test/laws\` drive a real supervisor, alone or as PID 1 of a namespace; the others know no operating system.

| | what holds | where it is proven | who fails it |
|---|---|---|---|
${rows.join('\n')}
`;
}
