/** What Twilio calls: the signature first, then one transaction. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordInbound } from '../../db/inbound.ts';
import { learnFromRefusals, stopRefused } from '../../db/refusals.ts';
import { stoppingReason } from '../../domain/error-codes.ts';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { type Keyword, keywordOf } from '../../domain/keywords.ts';
import { statusFromTwilio } from '../../domain/message-status.ts';
import type { App } from '../deps.ts';
import { groupCommit } from './group-commit.ts';
import { acceptSignedForms } from './twilio-caller.ts';

const emptyTwiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>';

// Twilio adds fields unannounced, so both forms take any.
const statusForm = z
  .looseObject({
    AccountSid: z.string(),
    MessageSid: z.string().regex(/^(SM|MM)[0-9a-f]{32}$/),
    MessageStatus: z.string(),
    ErrorCode: z
      .string()
      .regex(/^\d{1,6}$/)
      .optional(),
  })
  .meta({ id: 'TwilioStatusCallback' });
const inboundForm = z
  .looseObject({
    AccountSid: z.string(),
    MessageSid: z.string().regex(/^(SM|MM)[0-9a-f]{32}$/),
    From: z.string().max(40),
    To: z.string().max(40),
    Body: z.string().max(10_000).default(''),
    NumMedia: z.string().optional(),
    NumSegments: z.string().optional(),
    OptOutType: z.string().optional(),
  })
  .meta({ id: 'TwilioInboundMessage' });

/** Applies reports in few transactions, whatever the number of callbacks: one writer per organization. */
function statusReporter({ deps, log }: App): (organizationId: string, report: StatusReport) => Promise<void> {
  const writers = new Map<string, (report: StatusReport) => Promise<void>>();
  const writerOf = (organizationId: string) =>
    groupCommit<StatusReport>(async (reports) => {
      const now = deps.clock.now();
      const refused = await deps.database.inOrganization(organizationId, async (trx) => {
        const applied = await applyStatusReports(trx, reports);
        await learnFromRefusals(trx, organizationId, applied.refused, now);
        if (applied.doubled.length > 0) {
          log.error({ organizationId, messageIds: applied.doubled }, 'Twilio has a message twice');
        }
        return applied.refused;
      });
      const stopping = refused.filter(({ errorCode }) => stoppingReason(errorCode) !== null);
      if (stopping.length > 0) {
        await deps.database.inOrganization(organizationId, (trx) => stopRefused(trx, stopping, now));
      }
    });
  return (organizationId, report) => {
    const writer = writers.get(organizationId) ?? writerOf(organizationId);
    writers.set(organizationId, writer);
    return writer(report);
  };
}

/** Twilio's own reading of the reply comes first: with advanced opt-out the words are the customer's to choose. */
function keywordIn(optOutType: string | undefined, body: string): Keyword | null {
  const given = optOutType?.toLowerCase();
  return given === 'stop' || given === 'start' || given === 'help' ? given : keywordOf(body);
}

const mediaUrls = (form: Record<string, unknown>): string[] =>
  Array.from(
    { length: Math.min(10, Number(form['NumMedia'] ?? 0) || 0) },
    (_, index) => form[`MediaUrl${index}`],
  ).filter((url) => typeof url === 'string');

/** Null for what is no count: no message is lost over it. */
const segmentsIn = (written = ''): number | null => (/^[1-9]\d{0,2}$/.test(written) ? Number(written) : null);

export const twilioWebhooks: FastifyPluginAsyncZod = async (app) => {
  const root = app as unknown as App;
  const preValidation = await acceptSignedForms(root);
  const report = statusReporter(root);
  const { database, clock } = app.deps;
  const tags = ['Twilio calls'];
  const config = { access: 'public' } as const;

  app.post(
    '/twilio/messages/:messageId/status',
    {
      config,
      preValidation,
      schema: {
        tags,
        summary: 'A status callback',
        consumes: ['application/x-www-form-urlencoded'],
        params: z.object({ messageId: z.string().regex(/^msg_[0-9a-f-]{36}$/) }),
        body: statusForm,
        response: { 200: z.string() },
      },
    },
    async (request, reply) => {
      const { MessageSid: sid, MessageStatus: word, ErrorCode: code } = request.body;
      const status = statusFromTwilio(word);
      if (status) {
        const errorCode = code ? Number(code) : null;
        await report(request.twilioOrganizationId, {
          messageId: request.params.messageId,
          sid,
          status,
          errorCode,
          at: clock.now(),
        });
      }
      return reply.code(200).type('text/plain').send('');
    },
  );

  app.post(
    '/twilio/inbound',
    {
      config,
      preValidation,
      schema: {
        tags,
        summary: 'A message from a contact',
        consumes: ['application/x-www-form-urlencoded'],
        body: inboundForm,
        response: { 200: z.string() },
      },
    },
    async (request, reply) => {
      const organizationId = request.twilioOrganizationId;
      const { MessageSid: sid, From: from, To: to, Body: body, OptOutType: optOutType } = request.body;
      const segments = segmentsIn(request.body.NumSegments);
      const keyword = keywordIn(optOutType, body);
      const message = { organizationId, sid, from, to, body, segments, mediaUrls: mediaUrls(request.body), keyword };
      await database.inOrganization(organizationId, (trx) => recordInbound(trx, { ...message, at: clock.now() }));
      // Twilio has answered STOP, START and HELP itself.
      return reply.code(200).type('text/xml').send(emptyTwiml);
    },
  );
};
