/** `GET /control/requests?path=&method=&operation=&limit=`: every request of Twilio's API with its status, for counting. */
import { z } from 'zod';
import { check, queryOf, type ControlAnswer, type ControlCall } from './route.ts';

const query = z.strictObject({
  path: z.string().optional(),
  method: z.string().optional(),
  operation: z.string().optional(),
  // All that are kept unless a limit is given, as with messages.
  limit: z.coerce.number().int().min(0).default(Number.MAX_SAFE_INTEGER),
});

export function readRequests(call: ControlCall): ControlAnswer {
  const { path, method, operation, limit } = check(query, queryOf(call));
  const filter = { path, method: method?.toUpperCase(), operation };
  const { total, items } = call.world.requests.find(filter, limit);
  const listed = items.map((item) => ({
    method: item.method,
    path: item.path,
    operation: item.operation ?? null,
    status: item.status,
    held: item.held,
    at: new Date(item.at).toISOString(),
  }));
  return { status: 200, body: { total, items: listed } };
}
