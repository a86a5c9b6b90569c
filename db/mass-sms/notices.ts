/** Tells users what becomes of a mass SMS (G1), in the transaction in which it does. */
import { progress } from '../../domain/mass-sms/mass-sms.ts';
import { type MassSmsFacts, massSmsNotice, type MassSmsNews } from '../../domain/mass-sms/notices.ts';
import type { Trx } from '../database.ts';
import { batchesOf, findMassSms, isOpen, talliesOf, totalTally, userOf } from './mass-sms.ts';
import { notify, usersWith } from '../notifications/notifications.ts';

/** To the user who created it, and to those who manage mass SMS: they are to know also of what a key has created. */
export async function tellOfMassSms(
  trx: Trx,
  { id, news, batch, at }: { id: string; news: MassSmsNews; batch?: NonNullable<MassSmsFacts['batch']>; at: Date },
): Promise<void> {
  const row = (await findMassSms(trx, id))!;
  const { organization_id: organizationId, recipients } = row;
  const users = await usersWith(trx, organizationId, { permission: 'mass-sms:manage', and: userOf(row) });
  if (users.length === 0) return;
  const batches = await batchesOf(trx, id);
  const tally = totalTally((await talliesOf(trx, [id])).get(id)?.values() ?? []);
  const { title, body } = massSmsNotice(news, {
    name: row.name,
    recipients,
    sent: progress(tally, recipients).sent,
    batches: batches.length,
    nextAt: batches.find(isOpen)?.startAt ?? null,
    timeZone: row.time_zone,
    cause: row.cause?.detail ?? null,
    ...(batch && { batch }),
  });
  await notify(trx, users, { organizationId, kind: news, title, body, subject: id, at });
}
