'use client';

import { useEffect, useState } from 'react';
import { words } from '../lib/words.ts';

/** The last resort for a mistake of ours; an absent database has a page of its own. */
export default function Broken({ reset }: { error: Error; reset: () => void }) {
  const [here, setHere] = useState(words.en);
  useEffect(() => {
    if (document.documentElement.lang === 'fr') setHere(words.fr);
  }, []);
  return (
    <section className="notice">
      <span className="notice-sign" aria-hidden="true">
        🧰
      </span>
      <h1>{here.brokenTitle}</h1>
      <p>{here.brokenText}</p>
      <button type="button" className="button" onClick={reset}>
        {here.retry}
      </button>
    </section>
  );
}
