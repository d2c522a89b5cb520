import { formatDuration } from '../base/duration.ts';
import type { EventLine } from '../protocol/control.ts';
import { describeExit, lookOf } from './status-text.ts';
import { type Paint, tameLine } from './terminal.ts';

/** One event as one line: number, time, what happened. */
export function describeEvent(event: EventLine, paint: Paint): string {
  if (event.type === 'job') return paint('dim', `       ${event.at.slice(11, 23)}  a job ${event.what}`);
  if (event.type === 'missed')
    return paint('warn', `       events before ${event.before} are no longer kept`);
  const head = paint('dim', `${String(event.seq).padStart(6)} ${event.at.slice(11, 23)}`);
  return `${head}  ${whatHappened(event, paint)}`;
}

function whatHappened(event: Exclude<EventLine, { type: 'missed' | 'job' }>, paint: Paint): string {
  switch (event.type) {
    case 'changed': {
      const reason = event.reason === '' ? '' : `: ${tameLine(event.reason)}`;
      return `${event.service} ${event.from} → ${paint(lookOf(event.to).tone, event.to)}${reason}`;
    }
    case 'spawned':
      return `${event.service} started, pid ${event.pid}, generation ${event.generation}`;
    case 'exited':
      return `${event.service} ended: ${describeExit(event)}${event.asked ? ', as asked' : ''}`;
    case 'gaveUp':
      return paint('bad', `${event.service} gave up: ${tameLine(event.reason)}`);
    case 'booted':
      return paint('good', `everything is ready after ${formatDuration(event.ms)}`);
    case 'stopping':
      return `stopping: ${tameLine(event.reason)}`;
    case 'reloaded':
      return `configuration reloaded: ${tameLine(event.summary)}`;
    case 'noted':
      return tameLine(event.text);
  }
}
