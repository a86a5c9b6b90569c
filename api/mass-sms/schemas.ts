/** How mass SMS read and are written. */
import { z } from 'zod';
import { type Batch, totalTally } from '../../db/mass-sms/mass-sms.ts';
import type { ListedMassSms } from '../../db/mass-sms/list.ts';
import { massSmsStatuses, progress, type Tally, windowClosePolicies } from '../../domain/mass-sms/mass-sms.ts';
import { messageStatuses } from '../../domain/messages/status.ts';
import { purposes } from '../../domain/purpose.ts';
import { audienceFields, excludedCounts, oneSource, oneSourceError } from './audience.ts';
import { id, instant, text, timeZone } from '../shared/schemas.ts';
import { hasText, hasTextError, textWithCodes, wordingFields } from '../shared/wording.ts';

export const startAt = z.iso
  .datetime({ offset: true })
  .transform((written) => new Date(written))
  .meta({ description: 'RFC 3339', examples: ['2026-12-01T15:00:00Z'] });

export const newMassSms = z
  .strictObject({
    ...audienceFields,
    name: text(200).optional().meta({ description: 'By default the list and the date' }),
    poolId: id('pool')
      .optional()
      .meta({ description: 'The number pool to send from; may be left out when there is one, or one of this purpose' }),
    body: textWithCodes(1_600)
      .optional()
      .meta({
        description:
          "With merge codes; by default the template's. Unless it says STOP, contacts who have had no message yet get " +
          'the disclaimer with it',
        examples: ['{{organization.name}}: Hi {{contact.firstName}}, we are hiring. Reply STOP to opt out.'],
      }),
    ...wordingFields,
    autoRespondTemplateId: id('template').optional().meta({
      description:
        'A published template without codes of jobs, career sites and pages: answers the first reply of each recipient',
    }),
    purpose: z
      .enum(purposes)
      .optional()
      .meta({ description: "Whose consent is needed; by default the template's, or promotional" }),
    startAt: startAt.optional().meta({
      description: 'When the first batch starts, at most two years ahead; by default in about 90 minutes',
    }),
    immediate: z.boolean().default(false).meta({ description: 'Start now, or as soon as the sending window opens' }),
    timeZone: timeZone
      .optional()
      .meta({ description: "Of the daily time and of weekends; the sending window's by default" }),
    allowWeekends: z.boolean().default(false),
    atWindowClose: z
      .enum(windowClosePolicies)
      .default('continue')
      .meta({ description: 'What happens to the rest of a batch when the sending window closes' }),
  })
  .refine(oneSource, oneSourceError)
  .refine(hasText, hasTextError)
  .refine((body) => !(body.immediate && body.startAt), {
    path: ['startAt'],
    message: 'send either startAt or immediate',
  });

const percent = z.number().min(0).max(100);
const batch = z.object({
  number: z.int(),
  size: z.int(),
  startAt: instant,
  status: z.enum(['scheduled', 'sending', 'sent', 'expired', 'cancelled']),
  sent: z.int(),
});

const drops = z
  .object({
    attempted: z.int(),
    dropped: z.int(),
    codes: z.array(
      z.object({
        code: z.int().nullable().meta({ description: "Twilio's error code; null where it gave none" }),
        count: z.int(),
        reason: z.string(),
        counted: z.boolean().meta({
          description: 'Whether it speaks for a suspension; an opt-out at Twilio and a window that closed do not',
        }),
      }),
    ),
    carriers: z.array(z.string()).meta({ description: 'Those that error codes name: Twilio reports no others' }),
    areaCodes: z
      .array(z.object({ areaCode: z.string(), attempted: z.int(), dropped: z.int() }))
      .meta({ description: 'Where more than twice the share of all is dropped' }),
  })
  .meta({ id: 'MassSmsDrops', description: 'Of the batch that was suspended, as it was known then' });

export const massSms = z
  .object({
    id: id('massSms'),
    name: z.string(),
    sender: z.object({ id: id('pool'), name: z.string() }),
    status: z.enum(massSmsStatuses),
    recipients: z.int(),
    excluded: excludedCounts,
    startAt: instant.meta({ description: 'When the first batch began or, until then, when it is to' }),
    endAt: instant.meta({ description: 'When it ended, or an estimate of when it will' }),
    endAtIsEstimate: z.boolean(),
    sent: z.int(),
    remaining: z.int(),
    completePercent: percent.meta({
      description: 'Of the recipients, those nothing more will be done for; of a cancelled one, those sent',
    }),
    undeliveredPercent: percent.meta({ description: 'Of those sent' }),
    unsubscribedPercent: percent.meta({ description: 'Of those sent' }),
    purpose: z.enum(purposes),
    body: z.string(),
    templateId: id('template').nullable().meta({ description: 'What it was made with, as are the next five' }),
    marketingCampaignId: id('marketingCampaign').nullable(),
    talentNetworkId: id('talentNetwork').nullable(),
    careerSiteId: id('careerSite').nullable(),
    pageId: id('page').nullable(),
    jobId: id('job').nullable(),
    autoRespondTemplateId: id('template').nullable().meta({ description: 'What answers first replies' }),
    timeZone: z.string(),
    allowWeekends: z.boolean(),
    atWindowClose: z.enum(windowClosePolicies),
    batches: z.array(batch),
    cause: z
      .object({ code: z.string(), detail: z.string(), drops: drops.optional() })
      .optional()
      .meta({ description: 'Why it stands in error or suspended' }),
    createdAt: instant,
  })
  .meta({ id: 'MassSms' });

export const recipient = z
  .object({
    messageId: id('message'),
    contactId: id('contact').nullable(),
    to: z.string(),
    from: z.string(),
    rank: z.int(),
    batch: z.int(),
    status: z.enum(messageStatuses),
    errorCode: z.int().nullable(),
    cancelReason: z.string().nullable(),
    unsubscribedAt: instant.nullable(),
  })
  .meta({ id: 'MassSmsRecipient' });

/** A mass SMS as the API answers it. */
export function toMassSms(
  row: ListedMassSms,
  batches: readonly Batch[],
  tallies: ReadonlyMap<number, Tally>,
): z.infer<typeof massSms> {
  return {
    id: row.id,
    name: row.name,
    sender: { id: row.pool_id, name: row.pool_name },
    status: row.status,
    recipients: row.recipients,
    excluded: row.excluded,
    startAt: row.start_at.toISOString(),
    endAt: row.end_at.toISOString(),
    endAtIsEstimate: row.end_at_is_estimate,
    ...progress(totalTally(tallies.values()), row.recipients, { isCancelled: row.status === 'cancelled' }),
    purpose: row.purpose,
    body: row.body,
    templateId: row.template_id,
    marketingCampaignId: row.marketing_campaign_id,
    talentNetworkId: row.talent_network_id,
    careerSiteId: row.career_site_id,
    pageId: row.page_id,
    jobId: row.job_id,
    autoRespondTemplateId: row.auto_respond_template_id,
    timeZone: row.time_zone,
    allowWeekends: row.allow_weekends,
    atWindowClose: row.at_window_close,
    batches: batches.map(({ number, size, startAt: at, status }) => ({
      number,
      size,
      startAt: at.toISOString(),
      status,
      sent: progress(tallies.get(number) ?? {}, size).sent,
    })),
    ...(row.cause && { cause: row.cause }),
    createdAt: row.created_at.toISOString(),
  };
}
