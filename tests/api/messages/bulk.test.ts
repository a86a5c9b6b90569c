/** Bulk sends to chosen contacts. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type MessagesApi, outboxOf, startMessagesApi, wholeDay, type Writer } from './support.ts';

let api: MessagesApi;
let sam: Writer;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(async () => {
  await api?.stop();
});

const text = 'We have new shifts, {{contact.firstName}}. Reply STOP to opt out.';

it('answers for each contact, in the order asked, which message was accepted or why none was', async () => {
  sam = await api.writer({ maxMessageLength: 160 });
  const [ann, bob] = [await api.contact(sam, { firstName: 'Ann' }), await api.contact(sam, { firstName: 'Bob' })];
  const nobody = await api.contact(sam, { consent: false, firstName: 'Cy' });
  const phoneless = await api.contact(sam, { mobile: null, firstName: 'Di' });
  const nameless = await api.contact(sam);
  const long = await api.contact(sam, { firstName: 'E'.repeat(120) });
  const twin = await api.contact(sam, { firstName: 'Fay', mobile: ann.mobile });
  const stopped = await api.contact(sam, { firstName: 'Gus' });
  await api.database.system
    .insertInto('opt_outs')
    .values({
      id: `opt_${stopped.id}`,
      organization_id: sam.organizationId,
      phone_number: stopped.mobile,
      method: 'reply',
      at: api.clock.now(),
    })
    .execute();
  const asked = [stopped, twin, long, nameless, phoneless, nobody, bob, ann, { id: 'con_unknown' }, ann];
  const before = api.told.length;
  const { status, body } = await sam.client.post('/v1/messages/bulk', {
    contactIds: asked.map(({ id }) => id),
    body: text,
  });
  expect(status).toBe(202);
  // Of two with one number the first by number and then as asked: the other is the duplicate.
  expect(body.results).toMatchObject([
    { contactId: stopped.id, reason: 'opted_out' },
    { contactId: twin.id, messageId: expect.stringMatching(/^msg_/) },
    { contactId: long.id, reason: 'too_long' },
    { contactId: nameless.id, reason: 'empty_merge_code' },
    { contactId: phoneless.id, reason: 'no_mobile' },
    { contactId: nobody.id, reason: 'no_consent' },
    { contactId: bob.id, messageId: expect.stringMatching(/^msg_/) },
    { contactId: ann.id, reason: 'duplicate_number' },
    { contactId: 'con_unknown', reason: 'unknown_contact' },
  ]);
  expect(body.results).toHaveLength(9);
  for (const result of body.results) if (result.reason) expect(result.detail).toMatch(/\.$/);
  expect(await outboxOf(api, sam.organizationId)).toHaveLength(2);
  expect(api.told.length).toBe(before + 1);
});

it('is held to the window, also for those who have just written', async () => {
  const writer = await api.writer();
  const contact = await api.contact(writer, { firstName: 'Ann' });
  await api.hearFrom(writer, contact);
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const day = names[new Date(api.clock.now().getTime() + 2 * 86_400_000).getUTCDay()]!;
  await writer.office.patch('/v1/settings', {
    sendWindow: { ...wholeDay, startTime: '08:00', endTime: '16:00', days: [day] },
  });
  const { body } = await writer.client.post('/v1/messages/bulk', { contactIds: [contact.id], body: text });
  const read = await writer.client.get(`/v1/messages/${body.results[0].messageId}`);
  expect(read.body).toMatchObject({ status: 'queued', heldReason: 'outside_window' });
});

it('is written once per Idempotency-Key, and two at once to the same contacts in other orders both get through', async () => {
  const writer = await api.writer();
  const ids: string[] = [];
  for (let n = 0; n < 30; n += 1) ids.push((await api.contact(writer, { firstName: `N${n}` })).id);
  const headers = { 'idempotency-key': 'bulk' };
  const answers = await Promise.all([
    writer.client.post('/v1/messages/bulk', { contactIds: ids, body: text }, headers),
    writer.client.post('/v1/messages/bulk', { contactIds: ids, body: text }, headers),
    writer.client.post('/v1/messages/bulk', { contactIds: ids.toReversed(), body: text }),
    writer.client.post('/v1/messages/bulk', { contactIds: ids, body: text }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  expect(answers[0].body).toEqual(answers[1].body);
  expect(await outboxOf(api, writer.organizationId)).toHaveLength(90);
});

it.for([
  ['no contact', { contactIds: [] }, 400],
  ['fifty-one contacts', { contactIds: Array.from({ length: 51 }, (_, n) => `con_${n}`) }, 400],
  ['a merge code that stands for nothing', { contactIds: ['con_1'], body: '{{job.title}}' }, 400],
] as const)('%s is refused', async ([, given, status]) => {
  const answer = await sam.client.post('/v1/messages/bulk', { body: text, ...given });
  expect(answer.status).toBe(status);
});

it('is refused as a whole without a person who writes, without a line, and for a purpose that is not permitted', async () => {
  const contact = await api.contact(sam);
  const request = { contactIds: [contact.id], body: 'Hi.' };
  expect((await sam.office.post('/v1/messages/bulk', request)).body.reason).toBe('user_required');
  const lineless = await api.user(sam, null);
  expect((await lineless.client.post('/v1/messages/bulk', request)).body.reason).toBe('no_line');
  await sam.office.patch('/v1/settings', { permittedPurposes: ['transactional'] });
  const promotional = await sam.client.post('/v1/messages/bulk', { ...request, purpose: 'promotional' });
  expect(promotional.body.reason).toBe('purpose_not_permitted');
});
