/** How mass SMS read and are written. */
import { z } from 'zod';
import { type Batch, totalTally } from '../../db/mass-sms.ts';
import type { ListedMassSms } from '../../db/mass-sms-list.ts';
import { massSmsStatuses, progress, type Tally, windowClosePolicies } from '../../domain/mass-sms.ts';
import { messageStatuses } from '../../domain/message-status.ts';
import { purposes } from '../../domain/purpose.ts';
import { audienceFields, excludedCounts, oneSource, oneSourceError } from '../audience.ts';
import { id, instant, text, timeZone } from '../schemas.ts';

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
      .meta({ description: 'The number pool to send from; may be left out when there is one' }),
    body: text(1_600).meta({
      description:
        'May hold {{contact.firstName}}, {{contact.lastName}}, {{organization.name}} and {{user.name}}. Unless it says ' +
        'STOP, contacts who have had no message yet get the disclaimer with it',
      examples: ['{{organization.name}}: Hi {{contact.firstName}}, we are hiring. Reply STOP to opt out.'],
    }),
    purpose: z.enum(purposes).default('promotional').meta({ description: 'Whose consent is needed' }),
    startAt: startAt.optional().meta({ description: 'When the first batch starts; by default in about 90 minutes' }),
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

export const massSms = z
  .object({
    id: id('massSms'),
    name: z.string(),
    sender: z.object({ id: id('pool'), name: z.string() }),
    status: z.enum(massSmsStatuses),
    recipients: z.int(),
    excluded: excludedCounts,
    startAt: instant,
    endAt: instant.meta({ description: 'When it ended, or an estimate of when it will' }),
    endAtIsEstimate: z.boolean(),
    sent: z.int(),
    remaining: z.int(),
    completePercent: percent,
    undeliveredPercent: percent.meta({ description: 'Of those sent' }),
    unsubscribedPercent: percent.meta({ description: 'Of those sent' }),
    purpose: z.enum(purposes),
    body: z.string(),
    timeZone: z.string(),
    allowWeekends: z.boolean(),
    atWindowClose: z.enum(windowClosePolicies),
    batches: z.array(batch),
    cause: z
      .object({ code: z.string(), detail: z.string() })
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
    ...progress(totalTally(tallies.values()), row.recipients),
    purpose: row.purpose,
    body: row.body,
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
