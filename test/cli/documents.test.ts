/** The commands of documents that are followed: all are ours and spelt right; test/image runs those that it can. */
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../src/cli/arguments.ts';
import { COMMANDS } from '../../src/cli/catalogue.ts';
import { findCommand } from '../../src/cli/find-command.ts';
import { DOCUMENTS, readBlocks } from '../support/documents.ts';

/** Calls of our command line, wherever in a line they stand, as words. */
function callsIn(text: string): string[][] {
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  return lines.flatMap((line) => {
    const ours = /(?:^|\b(?:product|exec bulkhead) )bulkhead (.*)$|--entrypoint bulkhead \S+ (.*)$/.exec(
      line.replace(/\s+#.*$/, ''),
    );
    const said = ours?.[1] ?? ours?.[2];
    if (said === undefined) return [];
    return [[...said.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')];
  });
}

describe.each(DOCUMENTS)('docs/%s', (document) => {
  const blocks = readBlocks(document);

  test('has commands, and each block says who runs it or why nobody does', () => {
    expect(blocks.length).toBeGreaterThan(0);
    for (const { line, mark } of blocks)
      expect(mark, `line ${line}`).toMatch(/^(run: image|not run: .{20,})$/);
  });

  test('names only commands and options that there are', () => checkSpelling(document));
});

/** Its commands need a disaster, a store or another host; what they do is tried by the tests of backups. */
test.each(['backup-and-restore.md'])('docs/%s names only commands and options that there are', (document) =>
  checkSpelling(document),
);

function checkSpelling(document: string): void {
  const calls = readBlocks(document).flatMap(({ text }) => callsIn(text));

  expect(calls.length).toBeGreaterThan(0);
  for (const words of calls) {
    const { spec, rest } = findCommand(COMMANDS, words);
    expect(() => parseCommand(spec, rest), words.join(' ')).not.toThrow();
  }
}
