/** What a mass SMS would take, before it is scheduled (F10). */
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { textsOf } from '../../db/mass-sms/forecast.ts';
import { sendingOrganization } from '../../db/mass-sms/mass-sms.ts';
import { sentInCarrierDay } from '../../db/messages/send-permits.ts';
import { forecast, type Forecast } from '../../domain/mass-sms/forecast.ts';
import { excludedCounts, requireKnownList } from './audience.ts';
import { organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { refused } from '../shared/problems.ts';
import { instant } from '../shared/schemas.ts';
import { defaultLeadMs, massSmsText } from './mass-sms.ts';
import { newMassSms } from './schemas.ts';
import { refusePlan, requireStart } from './start.ts';

const count = z.int().min(0);
const dollars = z.number().min(0);

const massSmsForecast = z
  .object({
    matches: count,
    excluded: excludedCounts,
    recipients: count,
    segments: z.object({
      total: count,
      distribution: z.array(z.object({ segments: count, recipients: count })),
      unicodeRecipients: count.meta({ description: 'Whose text has 70 characters to a segment instead of 160' }),
    }),
    batches: z.array(
      z.object({
        number: z.int(),
        size: count,
        segments: count,
        startAt: instant,
        endAt: instant,
        expired: count.meta({ description: 'Segments that are not sent: the window closes and the rest expires' }),
      }),
    ),
    startAt: instant,
    endAt: instant,
    segmentsPerSecond: z
      .number()
      .nullable()
      .meta({ description: 'null: nothing is known of it, and nothing is paced' }),
    cost: z
      .object({ currency: z.literal('USD'), low: dollars, high: dollars })
      .meta({ description: "Twilio's price and the cheapest and the dearest carrier's fee" }),
    tMobile: z
      .object({
        dailyLimit: count.meta({ description: 'Segments of the brand, in a day of Pacific time' }),
        assumedShare: z.number().meta({ description: 'Of the recipients: nobody knows the carrier of a number' }),
        days: z.array(z.object({ date: z.iso.date(), segments: count })),
      })
      .nullable()
      .meta({ description: 'Its limit, which sending keeps to; null: nothing is known of it' }),
  })
  .meta({ id: 'MassSmsForecast' });

const toForecast = ({ batches, startAt, endAt, ...rest }: Omit<Forecast, 'longest'>) => ({
  ...rest,
  batches: batches.map((batch) => ({
    ...batch,
    startAt: batch.startAt.toISOString(),
    endAt: batch.endAt.toISOString(),
  })),
  startAt: startAt.toISOString(),
  endAt: endAt.toISOString(),
});

type Asked = z.infer<typeof newMassSms>;

async function forecastOf(trx: Trx, request: FastifyRequest, asked: Asked, now: Date) {
  const organizationId = organizationOf(request);
  await requireKnownList(trx, organizationId, asked);
  requireStart(asked.startAt, now);
  const { settings, segmentsPerSecond } = await sendingOrganization(trx, organizationId);
  const sentBefore = await sentInCarrierDay(trx, organizationId, now);
  const { common: body, purpose, disclaimer, requireRoomFor } = await massSmsText(trx, request, asked, settings);
  const { list, query, limitToTop, timeZone = settings.sendWindow.timeZone, allowWeekends, atWindowClose } = asked;
  const audience = { list, query, limitToTop, purpose };
  const { groups, ...counted } = await textsOf(trx, organizationId, { audience, body, settings });
  if (groups.length === 0) {
    throw refused('no_recipients', 'Nobody would get this message: `excluded` says why.', { ...counted });
  }
  const wanted = asked.startAt ?? new Date(now.getTime() + (asked.immediate ? 0 : defaultLeadMs));
  const { longest, ...answer } = forecast({
    groups,
    body,
    disclaimer,
    rules: { window: settings.sendWindow, timeZone, allowWeekends },
    startAt: wanted < now ? now : wanted,
    immediate: asked.immediate,
    pace: { segmentsPerSecond, sentBefore, atWindowClose },
    prices: request.server.deps.prices,
  });
  requireRoomFor(longest);
  return { ...counted, ...toForecast(answer), segmentsPerSecond };
}

export const massSmsForecastRoutes: FastifyPluginAsyncZod = async (app) => {
  app.post(
    '/mass-sms/forecast',
    {
      config: { access: 'mass-sms:send' },
      schema: {
        tags: ['Mass SMS'],
        summary: 'Foresee batches, segments, cost and the end of a mass SMS',
        description: 'Takes what POST /mass-sms takes, and sends nothing. A number to send from is not needed yet.',
        body: newMassSms,
        response: { 200: massSmsForecast },
      },
    },
    async (request, reply) => {
      const now = app.deps.clock.now();
      const { body } = await command(request, reply, async (trx) => ({
        status: 200 as const,
        body: await forecastOf(trx, request, request.body, now).catch(refusePlan),
      }));
      return reply.send(body);
    },
  );
};
