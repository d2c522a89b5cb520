import type { Progress } from '../protocol/status.ts';
import type { Context } from './command.ts';
import { cutText, tameLine } from './terminal.ts';

const ERASE_LINE = '\r\x1b[2K';

/** One line on standard error that moves, on a terminal only; undefined takes it away. */
export function createProgressLine({ io, json }: Context): (progress: Progress | undefined) => void {
  const { columns } = io.err;
  if (columns === undefined || json) return () => {};
  let drawn = false;
  return (progress) => {
    if (progress === undefined) {
      if (drawn) io.err.write(ERASE_LINE);
      drawn = false;
      return;
    }
    const percent = progress.percent === undefined ? '' : ` ${Math.floor(progress.percent)} %`;
    const detail = progress.detail === undefined ? '' : `  ${progress.detail}`;
    io.err.write(ERASE_LINE + cutText(tameLine(`${progress.what}${percent}${detail}`), columns - 1));
    drawn = true;
  };
}
