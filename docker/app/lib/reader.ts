import 'server-only';
import { cookies, headers } from 'next/headers';
import { chooseLanguage, type Language } from './language.ts';
import { isSession, readKeys, SESSION_COOKIE } from './session.ts';
import { type Words, words } from './words.ts';

export const LANGUAGE_COOKIE = 'language';

/** The reader's language, from the switch or the browser, and the site's words in it. */
export async function readLanguage(): Promise<{ language: Language; words: Words }> {
  const language = chooseLanguage((await headers()).get('accept-language'), (await cookies()).get(LANGUAGE_COOKIE)?.value);
  return { language, words: words[language] };
}

/** 'off' without ADMIN_PASSWORD and NEXTAUTH_SECRET, else whether this browser is signed in. */
export async function readAdmin(): Promise<'off' | 'out' | 'in'> {
  const keys = readKeys(process.env);
  const cookie = (await cookies()).get(SESSION_COOKIE)?.value;
  if (!keys) return 'off';
  return isSession(cookie, keys, Date.now()) ? 'in' : 'out';
}
