/** Of what there is little, each kind of caller has a share of its own: a flood of one leaves the others theirs. */
import type { Role } from '../config/roles.ts';
import type { Caller } from './caller.ts';
import { Problem } from './problem.ts';

/** `stranger`: shows nothing, and may only log in; `anybody`: shows nothing, but reads from this machine. */
export type Standing = 'stranger' | 'anybody' | Role;

export function standingOf({ token, by, actor }: Caller): Standing {
  return token?.role ?? (by === 'loopback' && actor === 'loopback' ? 'anybody' : 'stranger');
}

export interface Slots {
  /** Takes one; returns the way to give it back. Throws a Problem where all of that standing are taken. */
  take(standing: Standing): () => void;
}

/** @param retryAfter seconds */
export function createSlots(
  shares: Readonly<Record<Standing, number>>,
  refusal: { readonly code: string; readonly what: string; readonly retryAfter: number },
): Slots {
  const taken = new Map<Standing, number>();
  return {
    take(standing) {
      const count = taken.get(standing) ?? 0;
      if (count >= shares[standing]) {
        throw new Problem(503, refusal.code, `${count} ${refusal.what}`, {
          headers: { 'retry-after': String(refusal.retryAfter) },
        });
      }
      taken.set(standing, count + 1);
      let isTaken = true;
      return () => {
        if (isTaken) taken.set(standing, (taken.get(standing) ?? 1) - 1);
        isTaken = false;
      };
    },
  };
}
