import type { CSSProperties } from 'react';
import { hueOf, initialsOf } from '../lib/look.ts';

/** A drawn logo: the tool's initials on a colour of its own. */
export function Logo({ name, large = false }: { name: string; large?: boolean }) {
  const style = { '--hue': hueOf(name) } as CSSProperties;
  return (
    <span className={large ? 'logo logo-large' : 'logo'} style={style} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
