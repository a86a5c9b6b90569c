/** Calls to a line (B5): Twilio asks what to do with each. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Db } from '../../db/database.ts';
import { findNumberByPhone, isLive } from '../../db/numbers/lines.ts';
import { findOrganization } from '../../db/organizations/organizations.ts';
import { answerToCall } from '../../twilio/voice.ts';
import { acceptSignedForms } from './twilio-caller.ts';

// Twilio adds fields unannounced, so it takes any. Who calls may be no number: `Anonymous`, a SIP address.
const callForm = z
  .looseObject({
    AccountSid: z.string(),
    CallSid: z.string().max(100),
    From: z.string().max(500).default(''),
    To: z.string().max(500),
  })
  .meta({ id: 'TwilioCall' });

/** Where a call goes. Not to a phone that is somebody's line by now: two lines could forward to each other for ever. */
const phoneFor = async (system: Db, forwardTo: string | null): Promise<string | null> =>
  forwardTo !== null && (await isLive(system, forwardTo)) ? null : forwardTo;

export const twilioVoice: FastifyPluginAsyncZod = async (app) => {
  const { database } = app.deps;
  const signed = await acceptSignedForms(app);

  app.post(
    '/twilio/voice',
    {
      ...signed,
      schema: {
        tags: ['Twilio calls'],
        summary: 'A phone call to a line',
        description:
          'Answers TwiML that forwards the call to the phone set for the line, or says that the number is for texts.',
        consumes: ['application/x-www-form-urlencoded'],
        body: callForm,
        response: { 200: z.string() },
      },
    },
    async (request, reply) => {
      const organizationId = request.twilioOrganizationId;
      const { From: caller, To: line } = request.body;
      const called = await database.inOrganization(organizationId, async (trx) => {
        const number = await findNumberByPhone(trx, organizationId, line);
        const organization = number && (await findOrganization(trx, organizationId));
        return { organizationName: organization?.name ?? null, forwardTo: number?.forward_to ?? null };
      });
      const forwardTo = await phoneFor(database.system, called.forwardTo);
      const twiml = answerToCall({ caller, line, organizationName: called.organizationName, forwardTo });
      return reply.code(200).type('text/xml').send(twiml);
    },
  );
};
