/** The documents people read, and the commands of those they follow: each block says above itself who runs it, or why nobody does. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** In the order a person would follow them: every block of theirs has a mark. */
export const DOCUMENTS = [
  'deployment.md',
  'troubleshooting.md',
  'upgrade.md',
  'backup-and-restore.md',
] as const;

/** All pages about the product, by their paths from the root of the project. */
export const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'docker/app/README.md',
  'docker/scraper/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export interface CommandBlock {
  readonly page: string;
  /** Of the first command, from 1. */
  readonly line: number;
  readonly text: string;
  /** "run: image", "run: here" or "not run: why"; undefined: it says nothing. */
  readonly mark: string | undefined;
}

/** Every block of shell commands of a page. */
export function readBlocks(page: string): CommandBlock[] {
  const lines = readPage(page).split('\n');
  return lines.flatMap((line, index) => {
    const [, indent] = /^( *)```sh$/.exec(line) ?? [];
    if (indent === undefined) return [];
    const end = lines.indexOf(`${indent}\`\`\``, index);
    const mark = /^<!-- (.*) -->$/.exec(lines[index - 1] ?? '')?.[1];
    const text = lines.slice(index + 1, end).map((one) => one.slice(indent.length));
    return [{ page, line: index + 2, text: text.join('\n'), mark }];
  });
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}
