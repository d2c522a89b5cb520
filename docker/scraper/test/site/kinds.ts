export type PageKind =
  | 'normal'
  | 'hang'
  | 'huge'
  | 'hungry'
  | 'busy'
  | 'loop'
  | 'scriptLoop'
  | 'dialogs'
  | 'missing'
  | 'forbidden';

// Of each 40 pages 30 are good; the awful ones are spread.
const awful: Record<number, PageKind> = {
  3: 'hang',
  7: 'huge',
  11: 'hungry',
  14: 'busy',
  19: 'loop',
  22: 'scriptLoop',
  26: 'dialogs',
  30: 'missing',
  34: 'forbidden',
  38: 'huge',
};

/** What page `n` of the site does. */
export function kindOf(n: number): PageKind {
  return awful[n % 40] ?? 'normal';
}
