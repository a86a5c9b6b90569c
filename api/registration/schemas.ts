/** A registration as it is read. */
import { z } from 'zod';
import {
  brandStatuses,
  campaignStatuses,
  messagingServiceStatuses,
  registrationActions,
} from '../../domain/registration/status.ts';
import { instant } from '../shared/schemas.ts';
import { intake } from './intake.ts';

const forManagers = 'only with the permission registration:manage';
const hidden = 'Empty without the permission registration:manage';

const explanation = z
  .object({
    code: z.number().meta({ description: "Twilio's" }),
    reason: z.string(),
    remedy: z.string(),
    fields: z.array(z.string()).meta({ description: 'Fields of the intake to correct' }),
    fixable: z.boolean().meta({ description: 'False: no correction makes it acceptable' }),
  })
  .meta({ id: 'RejectionReason' });

export const finding = z
  .object({
    field: z.string().meta({ examples: ['messageSamples[0]'] }),
    severity: z.enum(['error', 'warning']).meta({ description: 'Errors block submission, warnings do not' }),
    code: z.string(),
    twilioCode: z.number().nullable().meta({ description: 'What Twilio would refuse it with, if known' }),
    reason: z.string(),
    remedy: z.string(),
  })
  .meta({ id: 'PreflightFinding' });

export const cleaning = z
  .object({ field: z.string(), before: z.string(), after: z.string() })
  .meta({ id: 'CleanedSample', description: 'What is changed in a sample when it is submitted' });

const part = <Status extends readonly [string, ...string[]]>(statuses: Status) =>
  z.object({
    status: z.enum(statuses),
    indicator: z.enum(['blue', 'green', 'red']).meta({ description: 'In progress, approved, failed' }),
    since: instant.nullable(),
    detail: z.string(),
    reasons: z.array(explanation).meta({ description: 'Why it failed; empty unless it did' }),
  });

const party = z.enum(['operator', 'organization', 'representative', 'twilio', 'carriers', 'nobody']);
const actor = z.string().meta({ examples: ['user:usr_0199a7f0-5a3c-7b1e-9d2f-3c4b5a697887', 'twilio'] });

export const evidence = z
  .object({
    id: z.string(),
    fileName: z.string(),
    mediaType: z.enum(['image/png', 'image/jpeg', 'application/pdf']),
    size: z.int().meta({ description: 'Bytes' }),
    sha256: z.string().meta({ description: 'Hexadecimal' }),
    url: z.string().meta({ description: 'Where reviewers open it: needs no key, and cannot be guessed' }),
    at: instant,
    superseded: z
      .boolean()
      .meta({ description: 'Rejected with the campaign, and replaced since: not shown to reviewers again' }),
  })
  .meta({ id: 'Evidence' });

const attempt = z
  .object({
    part: z.enum(['brand', 'campaign']),
    number: z.int(),
    actor,
    submittedAt: instant.nullable(),
    decidedAt: instant.nullable(),
    outcome: z.enum(['verified', 'failed']).nullable(),
    reasons: z.array(explanation),
    submission: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: `What was submitted, where it is worth comparing; ${forManagers}, else null` }),
  })
  .meta({ id: 'RegistrationAttempt' });

export const registration = z
  .object({
    state: z.enum(['draft', 'submitted', 'completed', 'cancelled']),
    brand: part(brandStatuses).extend({
      verificationUntil: instant.nullable().meta({ description: 'Until when the identity link is good' }),
    }),
    campaign: part(campaignStatuses),
    messagingService: part(messagingServiceStatuses),
    timeline: z.array(
      z.object({
        at: instant,
        subject: z.enum(['registration', 'brand', 'campaign', 'messaging_service']),
        event: z.string(),
        actor,
        detail: z.string(),
        awaiting: party.meta({ description: 'Whose turn it was then' }),
      }),
    ),
    fees: z.array(
      z.object({
        kind: z.string(),
        amount: z.number(),
        currency: z.string(),
        reference: z.string().meta({ description: 'What it was paid for, by SID' }),
        description: z.string(),
        at: instant,
      }),
    ),
    nextStep: z.object({ from: party, what: z.string(), until: instant.nullable() }),
    intake: intake.nullable().meta({ description: `The questionnaire; ${forManagers}, else null` }),
    evidence: z.array(evidence).meta({ description: hidden }),
    attempts: z.array(attempt),
    declarations: z
      .array(z.object({ declaration: z.enum(['accurate', 'representative_agrees']), actor, at: instant }))
      .meta({ description: hidden }),
    changes: z.array(cleaning).meta({ description: hidden }),
    allowed: z
      .array(z.enum(['submit', ...registrationActions]))
      .meta({ description: 'What can be done now, by the path below /v1/registration' }),
  })
  .meta({ id: 'Registration' });
