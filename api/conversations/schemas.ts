/** How conversations read. */
import { z } from 'zod';
import type { ListedConversation } from '../../db/conversations/list.ts';
import type { ReadMessage } from '../../db/messages/list.ts';
import { message, toMessage } from '../messages/schemas.ts';
import { id, instant } from '../shared/schemas.ts';

export const conversation = z
  .object({
    id: id('conversation'),
    contactId: id('contact').nullable(),
    contactName: z.string().nullable(),
    contactNumber: z.string(),
    line: z.string().meta({ description: 'Our number in the exchange' }),
    numberId: id('number').nullable().meta({ description: 'Of the line; null once it was released' }),
    users: z
      .array(z.object({ id: id('user'), name: z.string(), active: z.boolean() }))
      .meta({ description: 'Who texts from the line' }),
    lastMessage: message.nullable(),
    lastActivityAt: instant,
    unread: z.int().meta({
      description:
        'Messages of the contact that the acting user (or, for a key that acts as nobody, the organization) has not read; counted up to 1,000',
    }),
    revocation: z
      .object({ messageId: id('message') })
      .nullable()
      .meta({ description: 'A message that may mean "stop texting me": somebody has to say whether it does' }),
  })
  .meta({ id: 'Conversation' });

export const threadMessage = message
  .extend({ userName: z.string().nullable().meta({ description: 'Who wrote it' }) })
  .meta({ id: 'ConversationMessage' });

export function toConversation(
  row: ListedConversation,
  lastMessage: ReadMessage | undefined,
  now: Date,
): z.infer<typeof conversation> {
  return {
    id: row.id,
    contactId: row.contact_id,
    contactName: [row.first_name, row.last_name].filter(Boolean).join(' ') || null,
    contactNumber: row.contact_number,
    line: row.line,
    numberId: row.number_id,
    users: row.users,
    lastMessage: lastMessage ? toMessage(lastMessage, now) : null,
    lastActivityAt: row.last_message_at.toISOString(),
    unread: row.unread,
    revocation: row.revocation_message_id === null ? null : { messageId: row.revocation_message_id },
  };
}
