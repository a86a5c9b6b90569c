/** The HTTP server: Twilio's API under one folder per product, the control side under `/control`, and `/healthz`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { controlApi } from '../control/routes.ts';
import type { World } from '../world.ts';
import { twilioApi, type ApiOutcome } from './twilio-api.ts';
import { newSid } from './wire.ts';

/** Idle connections are kept for as long as a client could reasonably pause: one closed under a client's request looks like a fault. */
const KEEP_ALIVE_MS = 120_000;
const MAX_BODY = 32 * 1024 * 1024;

function readBody(request: IncomingMessage): Promise<string> {
  if (request.method === 'GET' || request.method === 'DELETE') return Promise.resolve('');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
    request.on('close', () => request.readableEnded || reject(new Error('The request was cut off')));
  });
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  if (body === undefined) {
    response.writeHead(status, headers).end();
    return;
  }
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json;charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** The server, not listening yet. */
export function simulatorServer(world: World): Server {
  const api = twilioApi(world);
  const control = controlApi(world);
  let concurrent = 0;

  async function twilio(request: IncomingMessage, response: ServerResponse, path: string, queryText: string) {
    const started = performance.now();
    concurrent += 1;
    const slash = path.indexOf('/', 1);
    let outcome: ApiOutcome;
    try {
      const formText = await readBody(request);
      const syncing = world.clock.sync();
      if (syncing !== undefined) await syncing;
      const { latencyMs } = world.behaviour;
      if (latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, latencyMs));
      outcome = await api({
        method: request.method ?? '',
        product: path.slice(1, slash === -1 ? undefined : slash),
        path: slash === -1 ? '/' : path.slice(slash),
        queryText,
        formText,
        authorization: request.headers.authorization,
        apiVersion: request.headers['x-twilio-api-version']?.toString(),
      });
      const settling = world.clock.settle();
      if (settling !== undefined) await settling;
    } finally {
      concurrent -= 1;
    }
    const { answer, operation } = outcome;
    const status = answer === 'cut' ? 0 : answer.status;
    const names = () => [
      world.accounts.authenticate(request.headers.authorization).friendlyName,
      answer !== 'cut' && (answer.body as { friendly_name?: unknown } | undefined)?.friendly_name,
    ];
    const held = answer === 'cut' || status === 401 ? undefined : world.heldAnswers.wait(operation, names, response);
    world.requests.add({
      method: request.method ?? '',
      path,
      operation,
      status,
      held: held !== undefined,
      at: world.clock.now(),
    });
    if (answer === 'cut') {
      request.socket.destroy();
      return;
    }
    if (held !== undefined) await held;
    if (response.destroyed) return;
    send(response, status, answer.body, {
      'twilio-request-id': newSid('RQ'),
      'twilio-request-duration': ((performance.now() - started) / 1000).toFixed(3),
      'twilio-concurrent-requests': String(concurrent + 1),
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="Twilio API"' } : {}),
    });
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark === -1 ? url : url.slice(0, mark);
    const queryText = mark === -1 ? '' : url.slice(mark + 1);
    if (path === '/healthz') return send(response, 200, { status: 'ok' });
    if (!path.startsWith('/control/')) return twilio(request, response, path, queryText);
    const bodyText = await readBody(request);
    await world.clock.sync();
    const { status, body } = await control(request.method ?? '', path, new URLSearchParams(queryText), bodyText);
    await world.clock.settle();
    send(response, status, body);
  }

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      world.log(`${request.method} ${request.url}: ${error instanceof Error ? error.stack : String(error)}`);
      if (response.headersSent || request.socket.destroyed) response.destroy();
      else send(response, 500, { error: String(error) });
    });
  });
  return server;
}
