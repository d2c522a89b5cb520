import { openAsset } from '../../../../lib/assets.ts';

export const dynamic = 'force-dynamic';

type Context = { params: Promise<{ kind: string; name: string }> };

/** GET /assets/logos/17-0123456789abcdef.webp: a picture that the scraper took. Its name changes with its content. */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  const { kind, name } = await params;
  const found = await openAsset(kind, name);
  if (!found) return new Response('Not found', { status: 404, headers: { 'Cache-Control': 'no-store' } });
  const { file, size } = found;
  const headers = {
    'Cache-Control': 'public, max-age=31536000, immutable',
    'Content-Type': 'image/webp',
    'Content-Length': String(size),
  };
  if (request.method === 'HEAD') {
    await file.close();
    return new Response(null, { headers });
  }
  // A picture is small and written whole: read at once, so that no visitor holds a file open.
  try {
    return new Response(new Uint8Array(await file.readFile()), { headers });
  } finally {
    await file.close();
  }
}
