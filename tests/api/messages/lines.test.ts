/** Lines that go, as those who write see it: what was said stays to be read, and what is written leaves from the new line. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type MessagesApi, startMessagesApi, type Writer } from './support.ts';

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(async () => {
  await api?.stop();
});

const text = 'Is Tuesday good? Reply STOP to opt out.';
const inAnHour = () => new Date(api.clock.now().getTime() + 3_600_000).toISOString();
const write = async ({ client }: Writer, contactId: string, given: Record<string, unknown> = {}) => {
  const { status, body } = await client.post('/v1/messages', { contactId, body: text, ...given });
  return { status, body };
};
const threadsOf = async ({ client }: Writer, contactId: string) =>
  (await client.get(`/v1/conversations?contactId=${contactId}`)).body.items;

it('the thread of a line that was released is still read, and what is written leaves from the line there is now', async () => {
  const writer = await api.writer();
  const contact = await api.contact(writer);
  await api.hearFrom(writer, contact);
  await api.release(writer, writer.line);
  expect(await write(writer, contact.id)).toMatchObject({ status: 422, body: { reason: 'no_line' } });
  const line = await api.giveLine(writer, writer.user.id);
  expect(await write(writer, contact.id)).toMatchObject({ status: 202, body: { from: line } });
  const [newer, older] = await threadsOf(writer, contact.id);
  const said = async ({ id }: { id: string }) =>
    (await writer.client.get(`/v1/conversations/${id}/messages`)).body.items;
  expect(await said(older)).toMatchObject([{ direction: 'inbound', to: writer.line, body: 'Hello?' }]);
  expect(await said(newer)).toMatchObject([{ direction: 'outbound', from: line }]);
});

it('what waits on a line that is released reads as cancelled, with the reason; what moves reads as coming from the new line', async () => {
  const writer = await api.writer();
  const [ann, bob] = [await api.contact(writer), await api.contact(writer)];
  const lost = await write(writer, ann.id, { sendAt: inAnHour() });
  await api.release(writer, writer.line);
  const read = async (id: string) => (await writer.client.get(`/v1/messages/${id}`)).body;
  expect(await read(lost.body.id)).toMatchObject({
    status: 'cancelled',
    from: writer.line,
    heldUntil: null,
    errorReason: 'The line it was to leave from was given up.',
  });
  const second = await api.giveLine(writer, writer.user.id);
  const sendAt = inAnHour();
  const kept = await write(writer, bob.id, { sendAt });
  // Sam gets a third line, and the second one goes.
  await api.database.system.deleteFrom('phone_number_users').where('user_id', '=', writer.user.id).execute();
  const third = await api.giveLine(writer, writer.user.id);
  await api.release(writer, second);
  expect(await read(kept.body.id)).toMatchObject({ status: 'scheduled', from: third, heldUntil: sendAt });
  expect(await threadsOf(writer, bob.id)).toMatchObject([{ contactId: bob.id }]);
  expect((await writer.client.post(`/v1/messages/${kept.body.id}/cancel`)).status).toBe(200);
});

it('a line that is given to somebody else keeps its thread and what waits on it', async () => {
  const writer = await api.writer();
  const contact = await api.contact(writer);
  const { body } = await write(writer, contact.id, { sendAt: inAnHour() });
  const kim = await api.user(writer, null);
  await api.database.system
    .updateTable('phone_number_users')
    .set({ user_id: kim.id })
    .where('user_id', '=', writer.user.id)
    .execute();
  expect((await writer.client.get(`/v1/messages/${body.id}`)).body).toMatchObject({
    status: 'scheduled',
    from: writer.line,
    userId: writer.user.id,
  });
  const reply = await kim.client.post('/v1/messages', { contactId: contact.id, body: text });
  expect(reply).toMatchObject({ status: 202, body: { from: writer.line, userId: kim.id } });
  expect(await threadsOf(writer, contact.id)).toHaveLength(1);
});
