import { getPriority, setPriority } from 'node:os';

/** Nice, as nice(1) counts. */
const PATIENT = 10;

/**
 * Verifying is never urgent: from here on this process and what it starts leave the processor to others. Who is patient
 * already stays as it is; to be less so is not everybody's right, and a backup must not fail of it.
 */
export function stepAside(): void {
  if (getPriority() < PATIENT) setPriority(PATIENT);
}
