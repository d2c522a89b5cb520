import { ASKABLE_PROGRAMS, type AskableProgram } from '../../protocol/control.ts';

/** What may be asked for on one socket. */
export interface Rights {
  /** A command of one's choosing, as a service. */
  readonly exec: boolean;
  readonly programs: readonly AskableProgram[];
}

/** Of people, whose socket nobody else can open. */
export const EVERYTHING: Rights = { exec: true, programs: ASKABLE_PROGRAMS };
