// Serves a port only once a file is there. argv: port, file, and `http` (answers 503 until then) or `tcp` (listens then).
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, file, kind] = process.argv.slice(2);
const server = createServer((_request, response) => {
  response.writeHead(existsSync(file) ? 200 : 503, { connection: 'close' }).end();
});
const listen = () => server.listen(Number(port), '127.0.0.1', () => console.log('answers 503', 'until then'));
if (kind === 'http') listen();
else {
  const timer = setInterval(() => {
    if (!existsSync(file)) return;
    clearInterval(timer);
    listen();
  }, 20);
}
