// A site of 200 pages on the loopback, most of them good and some of them awful.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync } from 'node:zlib';
import { kindOf, type PageKind } from './kinds.ts';
import { picturePage, scripts } from './pages.ts';

export interface Site {
  readonly port: number;
  readonly url: string;
  /** Paths asked for, in their order. */
  readonly asked: string[];
  close(): Promise<void>;
}

export const PAGES = 200;
const HUGE = 50 * 1024 * 1024;

/** A PNG of one colour, made here so that no picture has to lie in the repository. */
export function makePng(size: number, hue: number): Buffer {
  const crcTable = Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  });
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    let crc = 0xffffffff;
    for (const byte of body) crc = (crcTable[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(size * 3, Buffer.from([hue, 255 - hue, 128]))]);
  const pixels = deflateSync(Buffer.concat(Array<Buffer>(size).fill(row)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

type Answer = (request: IncomingMessage, response: ServerResponse, page: number) => void;

const html =
  (body: string): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(body);

const answers: Record<PageKind, Answer> = {
  normal: (request, response, page) => html(picturePage(page))(request, response, page),
  hang: () => {},
  huge(_request, response) {
    response.writeHead(200, { 'content-type': 'text/html' });
    const piece = Buffer.alloc(256 * 1024, 'x');
    let sent = 0;
    const more = () => {
      while (sent < HUGE && !response.destroyed) {
        sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', more);
      }
      response.end();
    };
    response.write('<!doctype html><title>Huge</title><p>');
    more();
  },
  hungry: html(`<!doctype html><title>Hungry</title><p>Eats memory<script>${scripts.eatMemory}</script>`),
  busy: html('<!doctype html><title>Busy</title><p>Never ends<script>for (;;);</script>'),
  loop: (_request, response, page) => void response.writeHead(302, { location: `/page/${page}?again` }).end(),
  scriptLoop: html(
    '<!doctype html><title>Loop</title><script>location.replace("?" + Math.random())</script>',
  ),
  dialogs: html(`<!doctype html><title>Dialogs</title><p>Hello<script>${scripts.annoy}</script>`),
  missing: (_request, response) =>
    void response.writeHead(404, { 'content-type': 'text/html' }).end('<title>No</title>'),
  forbidden: html('<!doctype html><title>Private</title>'),
};

/** Starts the site; with `port` 0 on a free one. `extra` answers paths of a test's own first. */
export async function startSite(
  port = 0,
  extra?: (path: string, response: ServerResponse) => boolean,
): Promise<Site> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    asked.push(pathname);
    if (extra?.(pathname, response)) return;
    const page = Number(/^\/page\/(\d+)$/.exec(pathname)?.[1]);
    if (page) return answers[kindOf(page)](request, response, page);
    const picture = /^\/picture-(\d+)-(\d+)\.png$/.exec(pathname);
    if (picture) {
      return void response
        .writeHead(200, { 'content-type': 'image/png' })
        .end(makePng(Number(picture[1]), Number(picture[2]) % 256));
    }
    if (pathname === '/robots.txt') {
      const forbidden = Array.from({ length: PAGES }, (_, index) => index + 1).filter(
        (n) => kindOf(n) === 'forbidden',
      );
      const lines = forbidden.map((n) => `Disallow: /page/${n}$`).join('\n');
      return void response.writeHead(200, { 'content-type': 'text/plain' }).end(`User-agent: *\n${lines}\n`);
    }
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const at = (server.address() as AddressInfo).port;
  return {
    port: at,
    url: `http://127.0.0.1:${at}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
