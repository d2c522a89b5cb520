import { createServer, type Server } from 'node:http';
import { watchRequests } from './watch-requests.ts';

/**
 * Serves GET /metrics on the loopback and nowhere else: a port of its own, because a request to the public one that a
 * proxy on this machine hands on also comes from the loopback. Whatever fails here leaves the site alone.
 */
export function serveMetrics(port: number, say: (text: string) => void): Server {
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?', 1);
    if (request.method !== 'GET' || path !== '/metrics') return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' });
    response.end(watch.text());
  });
  const watch = watchRequests(server);
  server.on('error', (error) => {
    watch.stop();
    say(`no metrics: cannot listen on 127.0.0.1:${port}: ${error.message}`);
  });
  server.on('close', () => watch.stop());
  // The site decides how long this process lives.
  server.listen(port, '127.0.0.1').unref();
  return server;
}

/** The port in METRICS_PORT; undefined: nobody wants metrics. */
export function readMetricsPort(text: string | undefined): number | undefined {
  const port = Number(text);
  return text && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
