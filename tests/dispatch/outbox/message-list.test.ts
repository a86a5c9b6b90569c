/** Listing what waits to leave: found by what it waits for, without reading everything that was ever sent. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listMessages } from '../../../db/messages/list.ts';
import { insertMessage } from '../../../db/messages/messages.ts';
import { requestOptIn } from '../../../db/consent/opt-ins.ts';
import type { MessageStatus } from '../../../domain/messages/status.ts';
import type { Organization } from '../fixture.ts';
import { optInRows } from '../consent/fixture.ts';
import { type Contact, openOutboxFixture, type OutboxFixture } from './fixture.ts';

let outbox: OutboxFixture;
let acme: Organization;
/** Every message of the organization that waits, newest first, by what it waits for. */
let waiting: { id: string; status: MessageStatus }[];

/** An automated message that waits for the contact's opt-in. */
async function writeHeld(contact: Contact): Promise<string> {
  const rows = optInRows(outbox);
  const userId = await rows.userOf(acme);
  const at = outbox.clock.now();
  return outbox.in(acme, async (trx) => {
    await trx.updateTable('contacts').set({ consent_transactional: false }).where('id', '=', contact.id).execute();
    await requestOptIn(trx, { organizationId: acme.id, userId, contactId: contact.id, at });
    const text = { body: 'Your interview is on Monday.', segments: 1 };
    const how = { source: 'journey', purpose: 'transactional', direct: false, sendAt: null, due: null } as const;
    return insertMessage(trx, { organizationId: acme.id, line: acme.line, contact, userId, at, ...how, ...text });
  });
}

beforeAll(async () => {
  outbox = await openOutboxFixture();
  acme = await outbox.sender();
  const contact = await outbox.contact(acme);
  await outbox.write(acme, contact);
  await outbox.run(acme);
  await outbox.write(acme, contact);
  await outbox.write(acme, contact, { sendAt: new Date(outbox.clock.now().getTime() + 3_600_000) });
  await writeHeld(await outbox.contact(acme));
  await outbox.massSms(acme, 3);
  await outbox.massSms(acme, 2, { status: 'paused' });
  const other = await outbox.sender();
  await outbox.write(other, await outbox.contact(other));
  waiting = await outbox.database.system
    .selectFrom('messages')
    .select(['id', 'status'])
    .where('organization_id', '=', acme.id)
    .where('status', 'in', ['held', 'scheduled', 'queued'])
    .orderBy('id', 'desc')
    .execute();
});
afterAll(async () => {
  await outbox?.close();
});

const list = (statuses: readonly MessageStatus[], page: { limit?: number; before?: string } = {}) =>
  outbox.in(acme, (trx) => listMessages(trx, acme.id, { statuses, limit: 50, ...page }));
const idsOf = (messages: readonly { id: string }[]) => messages.map(({ id }) => id);

it('finds what is in the outbox, what is held, and what mass SMS have not sent, newest first', async () => {
  // The request's own message among them.
  expect(waiting).toHaveLength(9);
  expect(idsOf(await list(['held', 'scheduled', 'queued']))).toEqual(idsOf(waiting));
});

it.for(['held', 'scheduled', 'queued'] as const)('finds those that are %s alone', async (status) => {
  expect(idsOf(await list([status]))).toEqual(idsOf(waiting.filter((one) => one.status === status)));
});

it('goes on after the last one seen', async () => {
  const first = await list(['scheduled', 'queued', 'held'], { limit: 4 });
  const rest = await list(['scheduled', 'queued', 'held'], { before: first.at(-1)!.id });
  expect(idsOf([...first, ...rest])).toEqual(idsOf(waiting));
});

it('with a status that nothing waits in finds that one too', async () => {
  const found = await list(['queued', 'accepted']);
  expect(found.filter(({ status }) => status === 'accepted')).toHaveLength(1);
  expect(found).toHaveLength(waiting.filter(({ status }) => status === 'queued').length + 1);
});
