import { setPriority } from 'node:os';

/** Verifying is never urgent: from here on this process and what it starts leave the processor to others. */
export function stepAside(): void {
  setPriority(10);
}
