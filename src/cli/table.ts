import { cutText, type Paint, type Tone, widthOf } from './terminal.ts';

interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'right';
  /** The layouts that show it; a column without is in all. */
  readonly from?: 'medium' | 'wide';
  /** The one column that takes what is left of the line, and is cut; at the end. */
  readonly flexible?: boolean;
  cell(row: Row): Cell;
}

export type Layout = 'narrow' | 'medium' | 'wide';

const GAP = '  ';
const RANK: Readonly<Record<Layout, number>> = { narrow: 0, medium: 1, wide: 2 };
const SMALLEST_FLEXIBLE = 12;

/** Which layout fits so many columns; undefined means no terminal, where nothing has to fit. */
export function layoutFor(width: number | undefined): Layout {
  if (width === undefined || width >= 120) return 'wide';
  return width >= 80 ? 'medium' : 'narrow';
}

/** Lines of a table that fit the width: a title line, then one per row. Cells must be single-line, tamed text. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | undefined,
  paint: Paint,
): string[] {
  const layout = RANK[layoutFor(width)];
  const shown = columns.filter(({ from }) => from === undefined || RANK[from] <= layout);
  const cells = rows.map((row) => shown.map((column) => column.cell(row)));
  const widths = shown.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((line) => widthOf(line[index]?.text ?? ''))),
  );
  fitFlexible(shown, widths, width);
  const draw = (line: readonly Cell[]) =>
    line
      .map(({ text, tone }, index) => {
        const room = widths[index] ?? 0;
        const cut = cutText(text, room);
        const painted = tone === undefined || cut === '' ? cut : paint(tone, cut);
        const padding = ' '.repeat(Math.max(0, room - widthOf(cut)));
        return shown[index]?.align === 'right' ? padding + painted : painted + padding;
      })
      .filter((_, index) => (widths[index] ?? 0) > 0 || shown[index]?.flexible !== true)
      .join(GAP)
      .trimEnd();
  const titles = shown.map(({ title }): Cell => ({ text: title, tone: 'dim' }));
  return [draw(titles), ...cells.map(draw)];
}

/** Gives the flexible column what is left; too little for it to say anything: it is left out. */
function fitFlexible<Row>(
  columns: readonly Column<Row>[],
  widths: number[],
  width: number | undefined,
): void {
  const index = columns.findIndex(({ flexible }) => flexible === true);
  if (width === undefined || index < 0) return;
  const others = widths.reduce((sum, each, at) => (at === index ? sum : sum + each), 0);
  const left = width - others - GAP.length * (columns.length - 1);
  widths[index] = left < SMALLEST_FLEXIBLE ? 0 : Math.min(widths[index] ?? 0, left);
}
