/** How far an attempt says it is: whatever it wrote, as something that can be kept. */
import type { AttemptLine } from '../../protocol/jobs.ts';
import type { JobProgress } from '../store.ts';
import { cleanText } from './json-limits.ts';

const LONGEST_TEXT = 200;

export function readProgress(line: Partial<Extract<AttemptLine, { type: 'progress' }>>): JobProgress {
  const { percent, text } = line;
  const known = typeof percent === 'number' && Number.isFinite(percent);
  return {
    ...(known ? { percent: Math.min(100, Math.max(0, percent)) } : {}),
    ...(typeof text === 'string' ? { text: cleanText(text, LONGEST_TEXT) } : {}),
  };
}
