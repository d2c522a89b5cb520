/** The first words of a statement, outside parentheses, strings and comments: enough to know what it is. */

export interface SqlToken {
  /** `quoted`: an identifier in double quotes; `text`: any string constant. */
  readonly kind: 'word' | 'quoted' | 'text' | 'other';
  /** Words in lower case, quoted identifiers without their quotes, anything else as it stands. */
  readonly text: string;
  /** Byte offsets in the statement. */
  readonly start: number;
  readonly end: number;
}

/** More than any statement has that we look at; the rest of a long one does not matter. */
export const TOKENS_KEPT = 80;

/** The name an identifier token means. */
export function isName(token: SqlToken | undefined): token is SqlToken {
  return token !== undefined && (token.kind === 'word' || token.kind === 'quoted');
}

/** Whether the tokens from `at` on are these lower-case words. */
export function hasWords(tokens: readonly SqlToken[], at: number, ...words: readonly string[]): boolean {
  return words.every((word, index) => {
    const token = tokens[at + index];
    return token?.kind === 'word' && token.text === word;
  });
}

/** Where the words stand in a row, or -1. */
export function findWords(tokens: readonly SqlToken[], ...words: readonly string[]): number {
  return tokens.findIndex((_, index) => hasWords(tokens, index, ...words));
}
