/** Answers every request, as the API does when all is well. */
import { createServer } from 'node:http';

createServer((_request, response) => response.end('ok')).listen(Number(process.env['PORT']), '127.0.0.1');
