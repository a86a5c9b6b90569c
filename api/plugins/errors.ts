/** Turns whatever is thrown into a problem document: ours, Fastify's own, Postgres's and Temporal's. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../deps.ts';
import { invalid, notFound, Problem, unavailable } from '../shared/problems.ts';

const details: Record<string, string> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'Send the body as the content type this route documents, usually application/json.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is larger than this route accepts: send it in smaller parts.',
  FST_ERR_BAD_URL: 'The address is not validly percent-encoded.',
};

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
// Shutting down, crashed, starting up, too many connections; then: asked to try again.
const postgresAway = /^(08\w{3}|57P0[1-5]|53300)$/;
const postgresBusy = /^(40001|40P01|55P03|57014)$/;
const poolMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection)/;

interface Thrown {
  name?: string;
  code?: unknown;
  message?: string;
  statusCode?: number;
  cause?: unknown;
  errors?: unknown[];
}

function isTemporalAway(error: Thrown): boolean {
  const code = (error.cause as Thrown | undefined)?.code ?? error.code;
  // gRPC: DEADLINE_EXCEEDED, UNAVAILABLE, and CANCELLED when the connection closed under the call.
  return (error.name === 'ServiceError' || typeof error.code === 'number') && (code === 4 || code === 14 || code === 1);
}

/** The problem a thrown value is, or null when nobody expected it. */
function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error === null || typeof error !== 'object') return null;
  const thrown = error as Thrown;
  const code = typeof thrown.code === 'string' ? thrown.code : '';
  if (isTemporalAway(thrown)) return unavailable('Temporal');
  if (connectionCodes.has(code) || postgresAway.test(code) || poolMessages.test(thrown.message ?? '')) {
    return unavailable('The database');
  }
  if (postgresBusy.test(code)) return unavailable('The database is busy with the same rows and', 1);
  // Data exceptions: a schema let through what Postgres cannot store.
  if (/^22\w{3}$/.test(code)) return invalid([{ path: 'body', message: 'holds a value that cannot be stored' }]);
  if (thrown.statusCode && thrown.statusCode >= 400 && thrown.statusCode < 500) return fromFastify(thrown, code);
  return null;
}

function fromFastify({ statusCode: status = 400, message = '' }: Thrown, code: string): Problem {
  // Longer than any id there is.
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return notFound('resource');
  if (status === 400 && code !== 'FST_ERR_BAD_URL') {
    return invalid(
      [{ path: 'body', message: message.replace(/^Body/, 'the body') }],
      `The body cannot be read. ${message}.`,
    );
  }
  const slug =
    status === 400 ? 'bad-request' : (STATUS_CODES[status] ?? 'error').toLowerCase().replaceAll(/[^a-z]+/g, '-');
  const members = status === 400 ? { errors: [{ path: 'path', message: 'is not validly percent-encoded' }] } : {};
  return new Problem({ status, slug, detail: details[code] ?? `${message}.`, members });
}

const internal = new Problem({
  status: 500,
  slug: 'internal',
  detail: 'This is a fault of the server. It was logged under the id in `instance`: tell it to the operator.',
});

/** Answers with a problem document; what nobody expected is logged with its stack. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  if (!problem) request.log.error({ err: error }, 'unexpected error');
  const { status, headers } = problem ?? internal;
  if (status === 503) request.log.warn({ err: error }, 'a needed server is away');
  return reply
    .code(status)
    .headers(headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send((problem ?? internal).toDocument(`urn:uuid:${request.id}`));
}

/** Answers where Fastify has no request yet: lines that are not HTTP, headers that are too long. */
export function answerClientError(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) return;
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const title = STATUS_CODES[status]!;
  const body = JSON.stringify({
    type: `/problems/${title.toLowerCase().replaceAll(' ', '-')}`,
    title,
    status,
    detail: 'The request is not HTTP that this server can read: check the request line, the headers and their size.',
    ...(status === 400 && { errors: [{ path: 'request', message: 'is not valid HTTP' }] }),
  });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Installs the error handler, and answers for addresses and methods there are no routes for. */
export function addErrorHandling(app: App): void {
  const routes: { pattern: RegExp; method: string }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(
      `^${url
        .replaceAll(/[.+?^$()[\]{}|\\]/g, String.raw`\$&`)
        .replaceAll(/:\w+/g, '[^/]+')
        .replaceAll('*', '.*')}$`,
    );
    for (const one of [method].flat()) routes.push({ pattern, method: one });
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
    const problem = allowed.length
      ? new Problem({
          status: 405,
          slug: 'method-not-allowed',
          detail: `This address answers ${allowed.join(', ')} only.`,
          headers: { allow: allowed.join(', ') },
          members: { allowed },
        })
      : new Problem({
          status: 404,
          slug: 'not-found',
          detail: 'There is no such route: GET /openapi.json lists them all.',
        });
    return sendProblem(problem, request, reply);
  });
}
