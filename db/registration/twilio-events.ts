/** Which of Twilio's events were obeyed: they come at least once, and in any order. */
import type { Trx } from '../database.ts';

/** Those that have no receipt, each once. */
export async function unseenEvents(trx: Trx, eventIds: readonly string[]): Promise<Set<string>> {
  const seen = await trx
    .selectFrom('twilio_event_receipts')
    .select('event_id')
    .where('event_id', 'in', [...eventIds])
    .execute();
  const known = new Set(seen.map((row) => row.event_id));
  return new Set(eventIds.filter((id) => !known.has(id)));
}

export async function keepReceipts(
  trx: Trx,
  organizationId: string,
  eventIds: ReadonlySet<string>,
  at: Date,
): Promise<void> {
  if (eventIds.size === 0) return;
  await trx
    .insertInto('twilio_event_receipts')
    .values([...eventIds].map((eventId) => ({ event_id: eventId, organization_id: organizationId, at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
