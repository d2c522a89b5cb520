// Answers 200 on a port until it is told otherwise: `/fail` makes it answer 503, `/recover` 200 again.
import { createServer } from 'node:http';

let status = 200;
createServer((request, response) => {
  if (request.url === '/fail') status = 503;
  if (request.url === '/recover') status = 200;
  response.writeHead(status).end();
}).listen(Number(process.argv[2]), '127.0.0.1');
