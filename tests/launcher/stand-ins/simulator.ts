/** Answers every request, as the simulator does when all is well, with how it was started. */
import { createServer } from 'node:http';

const started = JSON.stringify({ args: process.argv.slice(2), data: process.env['SIMULATOR_DATA'] });
createServer((_request, response) => response.end(started)).listen(Number(process.env['SIMULATOR_PORT']), '127.0.0.1');
