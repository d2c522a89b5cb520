/** Commands of the documents people follow: each block says above itself who runs it, or why nobody does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');

/** In the order a person would follow them. */
export const DOCUMENTS = ['deployment.md', 'troubleshooting.md', 'upgrade.md'] as const;

export interface CommandBlock {
  readonly document: string;
  /** Of the first command, from 1. */
  readonly line: number;
  readonly text: string;
  /** "run: image" or "not run: why"; undefined: it says nothing. */
  readonly mark: string | undefined;
}

/** Every block of shell commands of a document. */
export function readBlocks(document: string): CommandBlock[] {
  const lines = readFileSync(join(DOCS, document), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (line !== '```sh') return [];
    const end = lines.indexOf('```', index);
    const mark = /^<!-- (.*) -->$/.exec(lines[index - 1] ?? '')?.[1];
    return [{ document, line: index + 2, text: lines.slice(index + 1, end).join('\n'), mark }];
  });
}
