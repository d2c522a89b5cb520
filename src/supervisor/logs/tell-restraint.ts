import type { RestraintEvent } from './ports.ts';

/** One sentence without a final stop. */
export function tellRestraint({ service, what, hasFile, heldMs, hiddenLines }: RestraintEvent): string {
  const tooLoud = `${service} writes more than there is processor time for`;
  const noFile = 'its log file cannot be written, so standard output shows all of its lines that it can';
  if (what === 'hidden') {
    return hasFile
      ? `${tooLoud}: standard output shows a part of its lines, its file has all`
      : `${tooLoud}; ${noFile}`;
  }
  if (what === 'held') {
    const consequence = hasFile ? 'nothing is lost' : noFile;
    return `${tooLoud}: it is read more slowly, so that others need not wait; ${consequence}`;
  }
  const waited = `it waited ${(heldMs / 1000).toFixed(1)} s in all`;
  return `${service} is read and shown in full again: ${waited}, and standard output did not show ${hiddenLines} of its lines`;
}
