'use client';

import { useActionState } from 'react';
import type { Language } from '../../lib/language.ts';
import { words } from '../../lib/words.ts';
import { signIn } from './actions.ts';

export function SignInForm({ language }: { language: Language }) {
  const [problem, action, pending] = useActionState(signIn, null);
  const here = words[language];
  return (
    <form action={action} className="sign-in">
      <label>
        <span>{here.password}</span>
        <input type="password" name="password" required autoComplete="current-password" />
      </label>
      {problem && (
        <p className="problem" role="alert">
          {here[problem]}
        </p>
      )}
      <button type="submit" className="button" disabled={pending}>
        {here.signIn}
      </button>
    </form>
  );
}
