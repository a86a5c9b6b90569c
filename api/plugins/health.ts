/** Alive, and ready: whether Postgres and Temporal answer. */
import { z } from 'zod';
import type { App } from '../deps.ts';
import { unavailable } from '../shared/problems.ts';

const state = z.enum(['up', 'down']);

async function stateOf(ping: () => Promise<void>): Promise<z.infer<typeof state>> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer within 3 seconds')), 3_000);
  try {
    await Promise.race([ping(), late]);
    return 'up';
  } catch {
    return 'down';
  } finally {
    clearTimeout(timer);
  }
}

export function addHealth(app: App): void {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: {
        tags: ['Health'],
        summary: 'Whether this process is alive',
        response: { 200: z.object({ status: z.literal('alive') }) },
      },
    },
    async () => ({ status: 'alive' as const }),
  );
  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        tags: ['Health'],
        summary: 'Whether what this process needs can be reached',
        description: 'Answers 503 with the same members when Postgres or Temporal is down.',
        response: { 200: z.object({ status: z.literal('ready'), postgres: state, temporal: state }) },
      },
    },
    async () => {
      const { database, temporal } = app.deps;
      const [postgres, temporalState] = await Promise.all([
        stateOf(() => database.ping()),
        stateOf(() => temporal.ping()),
      ]);
      const down = [...(postgres === 'down' ? ['Postgres'] : []), ...(temporalState === 'down' ? ['Temporal'] : [])];
      if (down.length) throw unavailable(down.join(' and '), 5, { postgres, temporal: temporalState });
      return { status: 'ready' as const, postgres, temporal: temporalState };
    },
  );
}
