import type { RestraintEvent } from './ports.ts';

/** One sentence without a final stop. */
export function tellRestraint({ service, what, heldMs, hiddenLines }: RestraintEvent): string {
  if (what === 'hidden')
    return `${service} writes more than there is processor time for: standard output shows a part of its lines, its file has all`;
  if (what === 'held')
    return `${service} writes more than there is processor time for: it is read more slowly, so that others need not wait; nothing is lost`;
  const waited = `it waited ${(heldMs / 1000).toFixed(1)} s in all`;
  return `${service} is read and shown in full again: ${waited}, and standard output did not show ${hiddenLines} of its lines`;
}
