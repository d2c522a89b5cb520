/** Tokens as text for people. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { TokenView } from '../protocol/tokens.ts';
import { renderTable } from './table.ts';
import { cutText, type Paint } from './terminal.ts';

const FROM: Readonly<Record<TokenView['from'], string>> = {
  environment: 'BULKHEAD_TOKEN',
  generated: 'Bulkhead itself, secrets/token',
  plan: 'the plan, api.tokens',
  volume: 'token create',
};

/** Lines of a table that fits the width. `now`: ms since the epoch. */
export function renderTokens(
  tokens: readonly TokenView[],
  now: number,
  width: number | undefined,
  paint: Paint,
): string[] {
  return renderTable<TokenView>(
    [
      { title: 'TOKEN', cell: ({ name }) => ({ text: cutText(name, 32) }) },
      { title: 'ROLE', cell: ({ role }) => ({ text: role }) },
      { title: 'ENDS', cell: ({ expiresAt }) => endOf(expiresAt, now) },
      { title: 'MADE', from: 'medium', cell: ({ createdAt }) => ({ text: createdAt?.slice(0, 10) ?? '-' }) },
      { title: 'BY', flexible: true, cell: ({ from }) => ({ text: FROM[from], tone: 'dim' }) },
    ],
    tokens,
    width,
    paint,
  );
}

function endOf(at: string | undefined, now: number): { readonly text: string; readonly tone?: 'bad' } {
  if (at === undefined) return { text: '-' };
  const left = Date.parse(at) - now;
  return left <= 0 ? { text: 'has ended', tone: 'bad' } : { text: `in ${formatDuration(left)}` };
}
