import { isLanguage, localPath } from '../../lib/language.ts';
import { LANGUAGE_COOKIE } from '../../lib/reader.ts';

/** GET /language?to=fr&back=/tools/x: remembers the language for a year and goes back. */
export function GET(request: Request): Response {
  const params = new URL(request.url).searchParams;
  const to = params.get('to') ?? '';
  const headers = new Headers({ Location: localPath(params.get('back')), 'Cache-Control': 'no-store' });
  if (isLanguage(to)) {
    headers.set('Set-Cookie', `${LANGUAGE_COOKIE}=${to}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly`);
  }
  return new Response(null, { status: 303, headers });
}
