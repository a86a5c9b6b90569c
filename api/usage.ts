/** Usage (H1): messages and segments by month, as JSON or CSV. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  readUsage,
  type UsageDimension,
  usageDimensions,
  type UsagePeriod,
  type UsageRow,
} from '../db/organizations/usage.ts';
import { purposes } from '../domain/purpose.ts';
import { organizationOf } from './shared/auth.ts';
import { csvLine } from './shared/csv-line.ts';
import { id } from './shared/schemas.ts';

const mostMonths = 13;

const month = z
  .string()
  .regex(/^\d{4}-\d\d$/)
  .meta({ examples: ['2026-11'] });
const count = z.int().min(0);
const traffic = z.object({ messages: count, segments: count }).meta({ id: 'Traffic' });

const usageItem = z
  .object({
    month,
    userId: id('user').nullable().optional().meta({ description: 'By user; null for messages of no user' }),
    phoneNumber: z.string().optional().meta({ description: 'By number; also one that was released' }),
    numberId: id('number').nullable().optional().meta({ description: 'By number; null for one that is not known' }),
    purpose: z.enum(purposes).optional().meta({ description: 'By purpose' }),
    outbound: traffic,
    inbound: traffic,
  })
  .meta({ id: 'UsageItem' });
type UsageItem = z.infer<typeof usageItem>;

const usage = z
  .object({ by: z.enum(usageDimensions), from: month, to: month, items: z.array(usageItem) })
  .meta({ id: 'Usage' });

const toItem = (by: UsageDimension, { month, value, numberId, outbound, inbound }: UsageRow): UsageItem => ({
  month,
  ...(by === 'user' && { userId: value }),
  ...(by === 'number' && { phoneNumber: value!, numberId }),
  ...(by === 'purpose' && { purpose: value as UsageItem['purpose'] }),
  outbound,
  inbound,
});

/** The current month of UTC and those before it, latest first. */
const latestMonths = (now: Date, most: number): string[] =>
  Array.from({ length: most }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back)).toISOString().slice(0, 7),
  );

/** By month there is an item for each, also for one in which nothing happened. */
function itemsOf(by: UsageDimension, rows: readonly UsageRow[], months: readonly string[]): UsageItem[] {
  if (by !== 'month') return rows.map((row) => toItem(by, row));
  const none = { outbound: { messages: 0, segments: 0 }, inbound: { messages: 0, segments: 0 } };
  const known = new Map(rows.map((row) => [row.month, toItem(by, row)]));
  return months.map((month) => known.get(month) ?? { month, ...none });
}

const columnsOf = {
  month: [],
  user: ['userId'],
  number: ['phoneNumber', 'numberId'],
  purpose: ['purpose'],
} as const satisfies Record<UsageDimension, readonly (keyof UsageItem)[]>;

function toCsv(by: UsageDimension, items: readonly UsageItem[]): string {
  const columns = columnsOf[by];
  const figures = ['outboundMessages', 'outboundSegments', 'inboundMessages', 'inboundSegments'];
  const lines = items.map(({ outbound, inbound, ...item }) => [
    item.month,
    ...columns.map((column) => item[column]),
    outbound.messages,
    outbound.segments,
    inbound.messages,
    inbound.segments,
  ]);
  return [['month', ...columns, ...figures], ...lines].map(csvLine).join('');
}

/** How much `Accept` wants a type that it names, 0 to 1. */
function wishFor(type: string, accept: string): number {
  const named = accept.split(',').map((part) => part.split(';').map((word) => word.trim().toLowerCase()));
  const found = named.find(([name]) => name === type);
  if (!found) return 0;
  const quality = found.find((word) => word.startsWith('q='));
  return quality === undefined ? 1 : Number(quality.slice(2)) || 0;
}

const wantsCsv = (accept = ''): boolean =>
  wishFor('text/csv', accept) > 0 && wishFor('text/csv', accept) >= wishFor('application/json', accept);

export const usageRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, clock } = app.deps;

  app.get(
    '/usage',
    {
      config: { access: 'usage:read' },
      schema: {
        tags: ['Usage'],
        summary: 'Messages and segments by month, and by user, number or purpose',
        description:
          'Outbound messages count once Twilio has accepted or refused them, delivered or not, in the month that happened; ' +
          "inbound ones when they came in. Months are UTC, as on Twilio's invoice. Segments are Twilio's count where it has " +
          'told, else ours. Latest month first. With `Accept: text/csv` the same as a file.',
        querystring: z.object({
          months: z.coerce
            .number()
            .int()
            .min(1)
            .max(mostMonths)
            .default(mostMonths)
            .meta({ description: 'How many, 1 to 13, the current one included' }),
          by: z.enum(usageDimensions).default('month'),
        }),
        response: {
          200: { content: { 'application/json': { schema: usage }, 'text/csv': { schema: z.string() } } },
        },
      },
    },
    async (request, reply) => {
      const { months, by } = request.query;
      const latest = latestMonths(clock.now(), months);
      const period: UsagePeriod = { from: latest.at(-1)!, to: latest[0]! };
      const organizationId = organizationOf(request);
      const rows = await database.inOrganization(organizationId, (trx) =>
        readUsage(trx, organizationId, { by, ...period }),
      );
      const items = itemsOf(by, rows, latest);
      reply.header('vary', 'accept');
      if (!wantsCsv(request.headers.accept)) return { by, ...period, items };
      const name = `usage-by-${by}-${period.from}-${period.to}.csv`;
      reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${name}"`);
      return reply.send(toCsv(by, items));
    },
  );
};
