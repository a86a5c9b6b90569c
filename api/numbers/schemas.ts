/** Phone numbers as the API shows them. */
import { z } from 'zod';
import type { Line } from '../../db/numbers/lines.ts';
import { id, instant } from '../shared/schemas.ts';

export const number = z
  .object({
    id: id('number'),
    phoneNumber: z.string(),
    registered: z.boolean().meta({ description: 'Attached to a verified messaging service' }),
    registrationError: z
      .int()
      .nullable()
      .meta({ description: "Twilio's code for why it could not be attached; it is tried again every hour" }),
    userIds: z.array(z.string()),
    users: z
      .array(z.object({ id: id('user'), name: z.string(), active: z.boolean() }))
      .meta({ description: 'A line whose users are all inactive can be given to somebody else' }),
    sharedLabel: z
      .string()
      .nullable()
      .meta({ description: 'On a shared line: how many users besides the first', examples: ['+1'] }),
    forwardTo: z.string().nullable().meta({ description: 'Where calls go' }),
    poolId: id('pool').nullable(),
    orphan: z.boolean().meta({
      description: 'In the Twilio account and used by nobody: adopt it by giving it users or a pool, or release it',
    }),
    releasing: z.boolean().meta({ description: 'Being released: nothing leaves from it any more' }),
    purchasedAt: instant,
    releasedAt: instant.nullable().meta({ description: 'Since when it is not yours any more; null while it is' }),
  })
  .meta({ id: 'Number' });

export const toNumber = (row: Line): z.infer<typeof number> => ({
  id: row.id,
  phoneNumber: row.phone_number,
  registered: row.registered,
  registrationError: row.registration_error,
  userIds: row.users.map((user) => user.id),
  users: row.users,
  sharedLabel: row.users.length > 1 ? `+${row.users.length - 1}` : null,
  forwardTo: row.forward_to,
  poolId: row.pool_id,
  // Nothing is left to be done about one that is gone.
  orphan: row.orphan_since !== null && row.released_at === null,
  releasing: row.releasing_since !== null && row.released_at === null,
  purchasedAt: row.purchased_at.toISOString(),
  releasedAt: row.released_at?.toISOString() ?? null,
});
