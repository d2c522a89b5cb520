import type { StatusWord } from './status.ts';

/** One line of the event log. `seq` grows by one and goes on over boots, as long as the volume keeps the file. */
export type BulkheadEvent = { readonly seq: number; readonly at: string } & EventBody;

/** Events are named in the past tense. */
export type EventBody =
  | {
      readonly type: 'changed';
      readonly service: string;
      readonly from: StatusWord;
      readonly to: StatusWord;
      readonly reason: string;
    }
  | { readonly type: 'spawned'; readonly service: string; readonly generation: number; readonly pid: number }
  | {
      readonly type: 'exited';
      readonly service: string;
      readonly generation: number;
      readonly code: number | null;
      readonly signal: string | null;
      readonly asked: boolean;
    }
  | { readonly type: 'gaveUp'; readonly service: string; readonly reason: string }
  | { readonly type: 'booted'; readonly ms: number }
  | { readonly type: 'stopping'; readonly reason: string }
  | { readonly type: 'reloaded'; readonly summary: string }
  | { readonly type: 'noted'; readonly text: string };
