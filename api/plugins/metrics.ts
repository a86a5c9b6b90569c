/** Prometheus metrics: how many requests, how long, by route and status; and the process's own. */
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { App } from '../deps.ts';

export function addMetrics(app: App): void {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const duration = new Histogram({
    name: 'longwave_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer; its count is the number of requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [register],
  });
  app.addHook('onResponse', async (request, reply) => {
    const labels = { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode };
    duration.observe(labels, reply.elapsedTime / 1000);
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(register.contentType).send(await register.metrics()),
  );
}
