/** One line per request: never a phone number, a body, a query or a token. */
import { describeError } from '../../log.ts';
import type { App } from '../deps.ts';

export interface LogOptions {
  /** A pino level, or `silent`. */
  level: string;
  /** Where lines go; standard output by default. */
  stream?: { write(line: string): void };
}

/** Pino's options. Nothing here logs headers; the redaction is for whoever does so one day. */
export const loggerOptions = ({ level, stream }: LogOptions): object => ({
  level,
  ...(stream && { stream }),
  redact: ['authorization', '*.authorization', 'req.headers.authorization', 'headers.authorization'],
  serializers: { err: describeError },
});

/** Logs each answer with its route pattern, which has no ids, no query and no numbers in it. */
export function addRequestLog(app: App): void {
  app.addHook('onSend', async (request, reply) => {
    reply.header('longwave-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { url = 'none' } = request.routeOptions;
    if (url === '/healthz' || url === '/metrics') return;
    request.log.info(
      {
        method: request.method,
        route: url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        organizationId: request.principal?.organizationId ?? undefined,
      },
      'request',
    );
  });
}
