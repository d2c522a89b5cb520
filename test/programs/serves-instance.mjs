// Answers on PORT with its BULKHEAD_INSTANCE and pid; ends with 1 at once where the file named by its argument exists.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';

if (existsSync(process.argv[2] ?? '')) process.exit(1);
createServer((_, response) => {
  response.end(`${process.env.BULKHEAD_INSTANCE} ${process.pid}`);
}).listen(Number(process.env.PORT), '127.0.0.1');
