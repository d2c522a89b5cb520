import Link from 'next/link';
import type { ReactNode } from 'react';

/** A whole page's kind word: nothing found, database away, page missing. */
export function Notice(props: { sign: string; title: string; text: string; action?: { href: string; label: string }; children?: ReactNode }) {
  return (
    <section className="notice">
      <span className="notice-sign" aria-hidden="true">
        {props.sign}
      </span>
      <h1>{props.title}</h1>
      <p>{props.text}</p>
      {props.action && (
        <Link href={props.action.href} className="button" prefetch={false}>
          {props.action.label}
        </Link>
      )}
      {props.children}
    </section>
  );
}
