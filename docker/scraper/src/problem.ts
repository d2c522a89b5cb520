/** What a person can read: "cannot X: cause". Everything else that is thrown is a fault of ours. */
export class Problem extends Error {
  override readonly name = 'Problem';
}

/** The words of whatever was thrown, with the codes that Node hides in empty messages. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(wordsOf).join('; ') || error.message;
  if (!(error instanceof Error)) return String(error);
  return error.message || String((error as { code?: unknown }).code ?? error.name);
}
