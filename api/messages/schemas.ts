/** How messages read and are written. */
import { z } from 'zod';
import type { ReadMessage } from '../../db/messages/list.ts';
import { cancellationInWords, errorInWords } from '../../domain/error-reasons.ts';
import { longestBody } from '../../domain/messages/text.ts';
import { messageStatuses } from '../../domain/messages/status.ts';
import { purposes } from '../../domain/purpose.ts';
import { id, instant, text } from '../shared/schemas.ts';
import { hasText, hasTextError, textWithCodes, wordingFields } from '../shared/wording.ts';

/** Due for longer than this, a message waits its turn; until then it is about to leave. */
const turnMs = 5_000;

const moment = z.iso
  .datetime({ offset: true })
  .transform((written) => new Date(written))
  .meta({ description: 'RFC 3339', examples: ['2026-12-01T15:00:00Z'] });

const bodyText = text(longestBody).meta({
  description: 'May hold {{contact.firstName}}, {{contact.lastName}}, {{organization.name}} and {{user.name}}',
  examples: ['Hi {{contact.firstName}}, is Tuesday at 10 good for you?'],
});

const purpose = z.enum(purposes).default('transactional').meta({ description: 'What the contact must have agreed to' });

export const newMessage = z
  .strictObject({
    contactId: id('contact'),
    body: textWithCodes(longestBody)
      .optional()
      .meta({
        description: "With merge codes; by default the template's",
        examples: ['Hi {{contact.firstName}}, is Tuesday at 10 good for you?'],
      }),
    ...wordingFields,
    purpose: z
      .enum(purposes)
      .optional()
      .meta({ description: "What the contact must have agreed to; by default the template's, or transactional" }),
    sendAt: moment.optional().meta({ description: 'For a later moment, up to a year ahead' }),
    source: z
      .enum(['user', 'journey'])
      .default('user')
      .meta({ description: "`journey`: automated, from the line and in the name of the contact's owner" }),
  })
  .refine(hasText, hasTextError);

export const newBulk = z.strictObject({
  contactIds: z
    .array(id('contact'))
    .min(1, 'must name at least one contact')
    .max(50, 'must be at most 50 contacts: send a mass SMS to more')
    .transform((ids) => [...new Set(ids)]),
  body: bodyText,
  purpose,
});

export const bulkResults = z
  .object({
    results: z.array(
      z.union([
        z.object({ contactId: id('contact'), messageId: id('message') }),
        z.object({
          contactId: id('contact'),
          reason: z.string().meta({ description: 'The rule, for programs', examples: ['no_consent'] }),
          detail: z.string(),
        }),
      ]),
    ),
  })
  .meta({ id: 'BulkResults' });

export const messageChanges = z
  .strictObject({
    body: bodyText.optional(),
    sendAt: moment.nullable().optional().meta({ description: 'Null: as soon as may be' }),
  })
  .refine((body) => body.body !== undefined || body.sendAt !== undefined, {
    path: ['body'],
    message: 'send body, sendAt or both',
  });

export const segments = z
  .object({ encoding: z.enum(['GSM-7', 'UCS-2']), segments: z.int(), characters: z.int() })
  .meta({ id: 'Segments' });

const heldReasons = ['outside_window', 'awaiting_opt_in', 'paced'] as const;

export const message = z
  .object({
    id: id('message'),
    direction: z.enum(['inbound', 'outbound']),
    status: z.enum(messageStatuses),
    from: z.string(),
    to: z.string(),
    body: z.string(),
    segments: z.int().nullable(),
    purpose: z.enum(purposes),
    contactId: id('contact').nullable(),
    userId: id('user').nullable(),
    source: z.enum(['user', 'journey', 'mass_sms', 'opt_in', 'contact', 'auto_respond']),
    massSmsId: id('massSms').nullable(),
    mediaUrls: z.array(z.string()),
    sendAt: instant.nullable().meta({ description: 'When it was asked to leave' }),
    createdAt: instant,
    heldUntil: instant.nullable().meta({ description: 'The first moment at which it may leave, where that is known' }),
    heldReason: z.enum(heldReasons).nullable(),
    heldDetail: z.string().nullable().meta({ description: 'Why it waits, in words' }),
    errorCode: z.int().nullable().meta({ description: "Twilio's" }),
    errorReason: z.string().nullable().meta({ description: 'Why it did not arrive, in words' }),
    events: z
      .array(z.object({ status: z.enum(messageStatuses), at: instant }))
      .meta({ description: 'What happened to it, in order of time' }),
  })
  .meta({ id: 'Message' });

export const acceptedMessage = message
  .extend({
    warning: z.string().nullable().meta({ description: 'It leaves at once although these are quiet hours there' }),
  })
  .meta({ id: 'AcceptedMessage' });

type Hold = Pick<z.infer<typeof message>, 'heldUntil' | 'heldReason' | 'heldDetail'>;

const nothingHolds: Hold = { heldUntil: null, heldReason: null, heldDetail: null };

function holdOf(row: ReadMessage, now: Date): Hold {
  if (row.status === 'held') {
    const heldDetail =
      'The contact has not agreed to be texted yet: it leaves after a YES to the opt-in request, or once you record the consent, and is cancelled if the contact refuses or does not answer.';
    return { heldUntil: null, heldReason: 'awaiting_opt_in', heldDetail };
  }
  const isWaiting = (row.status === 'scheduled' || row.status === 'queued') && row.claimed_at === null;
  if (!isWaiting || row.due_at === null) return nothingHolds;
  if (row.due_at > now) {
    const heldReason = row.held_reason === 'scheduled' ? null : row.held_reason;
    return { heldUntil: row.due_at.toISOString(), heldReason, heldDetail: row.held_detail };
  }
  if (now.getTime() - row.due_at.getTime() < turnMs) return nothingHolds;
  const inTurn = 'It is due and leaves in its turn, as fast as the carriers let the organization send.';
  return { heldUntil: null, heldReason: 'paced', heldDetail: row.held_reason === 'paced' ? row.held_detail : inTurn };
}

/** A message as the API answers it. */
export function toMessage(row: ReadMessage, now: Date): z.infer<typeof message> {
  const isInbound = row.direction === 'inbound';
  const reason = row.cancel_reason === null ? null : cancellationInWords(row.cancel_reason);
  return {
    id: row.id,
    direction: row.direction,
    status: row.status,
    from: isInbound ? row.contact_number : row.line,
    to: isInbound ? row.line : row.contact_number,
    body: row.body,
    segments: row.segments,
    purpose: row.purpose,
    contactId: row.contact_id,
    userId: row.user_id,
    source: row.source as Exclude<typeof row.source, 'forward'>,
    massSmsId: row.mass_sms_id,
    mediaUrls: row.media_urls ?? [],
    sendAt: row.send_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    ...holdOf(row, now),
    errorCode: row.error_code,
    errorReason: row.error_code === null ? reason : errorInWords(row.error_code),
    events: row.events.map(({ status, at }) => ({ status, at: at.toISOString() })),
  };
}
