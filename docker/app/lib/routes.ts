/** What the site serves, one for each folder with a page or a route of its own. Labels of metrics, so there are no more. */
export const ROUTES = [
  '/',
  '/admin',
  '/admin/[id]',
  '/admin/new',
  '/api/health',
  '/api/tools',
  '/assets/[kind]/[name]',
  '/language',
  '/tools/[slug]',
] as const;

/** Next's own files, and whatever else is asked for: there is no end of that. */
export type Route = (typeof ROUTES)[number] | '/_next' | 'other';

const known = ROUTES.map((route) => ({ route, parts: route.split('/') }));
// What stands there word for word goes before what takes any word.
known.sort((a, b) => Number(a.route.includes('[')) - Number(b.route.includes('[')));

/** The route of a request's target: `/tools/chat?from=x` is `/tools/[slug]`. */
export function routeOf(target: string): Route {
  const [path = ''] = target.split('?', 1);
  if (path.startsWith('/_next/')) return '/_next';
  const parts = path.split('/');
  const found = known.find(
    ({ parts: own }) =>
      own.length === parts.length &&
      own.every((part, index) => (part.startsWith('[') ? parts[index] !== '' : part === parts[index])),
  );
  return found?.route ?? 'other';
}
