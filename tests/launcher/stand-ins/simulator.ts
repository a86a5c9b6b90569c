/** Answers every request, as the simulator does when all is well. */
import { createServer } from 'node:http';

createServer((_request, response) => response.end('ok')).listen(Number(process.env['SIMULATOR_PORT']), '127.0.0.1');
