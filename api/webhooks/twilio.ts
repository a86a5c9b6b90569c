/** What Twilio calls: the signature first, then one transaction. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type StatusReport, takeReports } from '../../db/messages/status-reports.ts';
import { type Keyword, keywordOf } from '../../domain/consent/keywords.ts';
import { statusFromTwilio } from '../../domain/messages/status.ts';
import { answerIn, isYes } from '../../domain/consent/answers.ts';
import type { App } from '../deps.ts';
import { groupCommit } from './group-commit.ts';
import { receiveMessage } from './inbound.ts';
import { tellOptIns } from './opt-in-answers.ts';
import { acceptSignedForms } from './twilio-caller.ts';

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
      const doubled = await takeReports(deps.database, organizationId, reports, deps.clock.now());
      if (doubled.length > 0) log.error({ organizationId, messageIds: doubled }, 'Twilio has a message twice');
    });
  return (organizationId, report) => {
    const writer = writers.get(organizationId) ?? writerOf(organizationId);
    writers.set(organizationId, writer);
    return writer(report);
  };
}

/**
 * Twilio's own reading of the reply comes first: with advanced opt-out the words are the customer's to choose. But for
 * YES, which Twilio takes for START: it may answer anything, and lifts no opt-out of ours.
 */
function keywordIn(optOutType: string | undefined, body: string): Keyword | null {
  const given = optOutType?.toLowerCase();
  if (given === 'start' && isYes(body)) return keywordOf(body);
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
  const signed = await acceptSignedForms(root);
  const report = statusReporter(root);
  const { clock } = app.deps;
  const tags = ['Twilio calls'];

  app.post(
    '/twilio/messages/:messageId/status',
    {
      ...signed,
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
      ...signed,
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
      const received = { organizationId, sid, from, to, body, mediaUrls: mediaUrls(request.body), segments, keyword };
      const isAnswered = Boolean(optOutType);
      const twiml = await receiveMessage(app.deps, request.log, { ...received, at: clock.now() }, { isAnswered });
      if (answerIn(body, keyword)) await tellOptIns(app.deps, request.log, { organizationId, contactNumber: from });
      return reply.code(200).type('text/xml').send(twiml);
    },
  );
};
