import type { CSSProperties } from 'react';
import { hueOf, initialsOf } from '../lib/look.ts';

type Props = { name: string; picture: string | null; large?: boolean };

/** The tool's own logo; where none was found a drawn one: its initials on a colour of its own. */
export function Logo({ name, picture, large = false }: Props) {
  if (picture) {
    const size = large ? 96 : 48;
    return (
      <img
        className={large ? 'logo logo-large logo-own' : 'logo logo-own'}
        src={picture}
        width={size}
        height={size}
        alt=""
        loading={large ? 'eager' : 'lazy'}
        decoding="async"
      />
    );
  }
  const style = { '--hue': hueOf(name) } as CSSProperties;
  return (
    <span className={large ? 'logo logo-large' : 'logo'} style={style} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
