/** The pages people read: every command of ours is spelt right, every link leads somewhere; test/image and test/jobs run them. */
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseCommand } from '../../src/cli/arguments.ts';
import { COMMANDS } from '../../src/cli/catalogue.ts';
import { findCommand } from '../../src/cli/find-command.ts';
import { DOCUMENTS, PAGES, ROOT, readBlocks, readPage } from '../support/documents.ts';

/** Calls of our command line, wherever in a line they stand, as words. */
function callsIn(text: string): string[][] {
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  return lines.flatMap((line) => {
    const ours = /(?:^|\b(?:product|exec bulkhead|npx) )bulkhead (.*)$|--entrypoint bulkhead \S+ (.*)$/.exec(
      line.replace(/\s+#.*$/, ''),
    );
    const said = ours?.[1] ?? ours?.[2];
    if (said === undefined) return [];
    return [[...said.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')];
  });
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): string[] {
  return [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Without blocks of code, in which brackets mean something else. */
const proseOf = (page: string): string => readPage(page).replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');

describe.each(DOCUMENTS)('docs/%s', (document) => {
  test('has commands, and each block says who runs it or why nobody does', () => {
    const blocks = readBlocks(`docs/${document}`);
    expect(blocks.length).toBeGreaterThan(0);
    for (const { line, mark } of blocks)
      expect(mark, `line ${line}`).toMatch(/^(run: (image|here)|not run: .{20,})$/);
  });
});

describe.each(PAGES)('%s', (page) => {
  test('names only commands and options that there are', () => {
    const prose = [...proseOf(page).matchAll(/`(bulkhead [^`…·[|]*)`/g)].map(([, said = '']) => said);
    const calls = [...readBlocks(page).map(({ text }) => text), ...prose].flatMap(callsIn);
    for (const words of calls) {
      const { spec, rest } = findCommand(COMMANDS, words);
      expect(() => parseCommand(spec, rest), words.join(' ')).not.toThrow();
    }
  });

  test('has no link that leads nowhere', () => {
    for (const [, target = ''] of proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const linked = path === '' ? page : normalize(join(dirname(page), path));
      expect(existsSync(join(ROOT, linked)), target).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(linked), target).toContain(anchor);
    }
  });
});

test('the README leads to every page of docs', () => {
  const links = [...readPage('README.md').matchAll(/\]\((docs\/[\w-]+\.md)\)/g)].map(([, path]) => path);
  expect([...new Set(links)].sort()).toEqual(PAGES.filter((page) => page.startsWith('docs/')).sort());
});

test('docs/schedules.md knows every schedule of tier full', () => {
  const { schedules } = parse(readPage('config/full.yaml'), { merge: true }) as { schedules: object };
  const listed = [...readPage('docs/schedules.md').matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(listed).toEqual(Object.keys(schedules));
});
