/** Every rule that forbids a message, with the remedy. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MessagesApi, startMessagesApi, type Writer } from './support.ts';

let api: MessagesApi;
let sam: Writer;
beforeAll(async () => {
  api = await startMessagesApi();
  sam = await api.writer();
});
afterAll(async () => {
  await api?.stop();
});

const text = 'Is Tuesday at 10 good for you?';
const send = async (writer: Writer, contactId: string, given: Record<string, unknown> = {}) =>
  writer.client.post('/v1/messages', { contactId, body: text, ...given });

describe('a message is refused', () => {
  const reasonOf = async (contactId: string, given: Record<string, unknown> = {}, writer = sam) => {
    const { status, body } = await send(writer, contactId, given);
    return { status, reason: body.reason, detail: body.detail };
  };

  it('without a person who writes', async () => {
    const contact = await api.contact(sam);
    const { status, body } = await sam.office.post('/v1/messages', { contactId: contact.id, body: text });
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { reason: 'user_required', detail: expect.stringContaining('Longwave-User') },
    });
  });

  it('without a mobile number, or with one that cannot be texted', async () => {
    const without = await api.contact(sam, { mobile: null });
    expect(await reasonOf(without.id)).toMatchObject({
      reason: 'no_mobile',
      detail: expect.stringContaining('no mobile'),
    });
    const landline = await api.contact(sam, { phoneStatus: 'invalid' });
    expect(await reasonOf(landline.id)).toMatchObject({ status: 422, reason: 'no_mobile' });
  });

  it('to somebody who has opted out, even in a reply', async () => {
    const contact = await api.contact(sam);
    await api.hearFrom(sam, contact);
    await api.database.system
      .insertInto('opt_outs')
      .values({
        id: `opt_${contact.id}`,
        organization_id: null,
        phone_number: contact.mobile,
        line: null,
        method: 'reply',
        at: api.clock.now(),
      })
      .execute();
    expect(await reasonOf(contact.id)).toMatchObject({ status: 422, reason: 'opted_out' });
  });

  it('not when the STOP was for another line only', async () => {
    const contact = await api.contact(sam);
    await api.database.system
      .insertInto('opt_outs')
      .values({
        id: `opt_${contact.id}`,
        organization_id: sam.organizationId,
        phone_number: contact.mobile,
        line: '+13125550000',
        method: 'reply',
        at: api.clock.now(),
      })
      .execute();
    expect(await reasonOf(contact.id)).toMatchObject({ status: 202 });
  });

  it('without consent, saying how to ask', async () => {
    const contact = await api.contact(sam, { consent: false });
    expect(await reasonOf(contact.id)).toMatchObject({
      status: 422,
      reason: 'no_consent',
      detail: expect.stringContaining('POST /v1/opt-in-requests'),
    });
  });

  it('when it is longer than the organization allows, counted as it will be sent and without the disclaimer', async () => {
    const writer = await api.writer({ maxMessageLength: 160 });
    const contact = await api.contact(writer, { firstName: 'Bo' });
    const { status, body } = await send(writer, contact.id, { body: `{{contact.firstName}}${'a'.repeat(159)}` });
    expect({ status, body }).toMatchObject({ status: 422, body: { reason: 'too_long', characters: 161, limit: 160 } });
    expect(await reasonOf(contact.id, { body: `{{contact.firstName}}${'a'.repeat(158)}` }, writer)).toMatchObject({
      status: 202,
    });
  });

  it('when it would have no room for the disclaimer: the one before has not left, and may never', async () => {
    const contact = await api.contact(sam);
    const first = await send(sam, contact.id);
    const long = { body: 'a'.repeat(1_590) };
    expect(await reasonOf(contact.id, long)).toMatchObject({ status: 422, reason: 'too_long' });
    const { system } = api.database;
    await system.updateTable('messages').set({ status: 'accepted' }).where('id', '=', first.body.id).execute();
    expect((await send(sam, contact.id, long)).status).toBe(202);
  });

  it('when merge codes or the disclaimer make it longer than Twilio takes', async () => {
    const contact = await api.contact(sam);
    const { status, body } = await send(sam, contact.id, { body: 'a'.repeat(1_600) });
    expect({ status, body }).toMatchObject({ status: 422, body: { reason: 'too_long', limit: 1_600 } });
  });

  it('for a purpose the organization may not text for', async () => {
    const writer = await api.writer({ permittedPurposes: ['transactional'] });
    const contact = await api.contact(writer);
    expect(await reasonOf(contact.id, { purpose: 'promotional' }, writer)).toMatchObject({
      reason: 'purpose_not_permitted',
    });
  });

  it('from a user without a line, or with one that is not registered', async () => {
    const contact = await api.contact(sam);
    for (const [line, reason] of [
      [null, 'no_line'],
      ['unregistered', 'line_not_registered'],
    ] as const) {
      const user = await api.user(sam, line);
      expect(await user.client.post('/v1/messages', { contactId: contact.id, body: text })).toMatchObject({
        status: 422,
        body: { reason },
      });
    }
  });

  it('to a contact nobody knows, or another organization does', async () => {
    const other = await api.writer();
    const theirs = await api.contact(other);
    for (const id of [theirs.id, 'con_unknown']) {
      expect(await send(sam, id)).toMatchObject({ status: 404, body: { type: '/problems/not-found' } });
    }
  });

  it.for([
    ['{{contact.nickname}}', 'stands for nothing'],
    ['{{}}', 'stands for nothing'],
    ['{{contact.firstName}}', 'empty for this contact'],
    ['   ', 'must not be empty'],
    ['a'.repeat(1_601), 'at most 1600 characters'],
  ])('as malformed: %s', async ([body, message]) => {
    const contact = await api.contact(sam);
    expect(await send(sam, contact.id, { body })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'body', message: expect.stringContaining(message!) }] },
    });
  });

  it('while the module is not enabled', async () => {
    const writer = await api.writer();
    const contact = await api.contact(writer);
    await api.database.system
      .updateTable('organizations')
      .set({ module_on: false })
      .where('id', '=', writer.organizationId)
      .execute();
    expect(await send(writer, contact.id)).toMatchObject({ status: 409, body: { type: '/problems/not-enabled' } });
  });

  it('without the permission to write; everybody may read', async () => {
    const user = await api.user(sam, 'registered', ['contacts:manage']);
    const contact = await api.contact(sam);
    for (const answer of [
      await user.client.post('/v1/messages', { contactId: contact.id, body: text }),
      await user.client.post('/v1/messages/bulk', { contactIds: [contact.id], body: text }),
    ]) {
      expect(answer.status).toBe(403);
    }
    const { body } = await send(sam, contact.id);
    expect((await user.client.get('/v1/messages')).status).toBe(200);
    expect((await user.client.get(`/v1/messages/${body.id}`)).body.id).toBe(body.id);
  });
});
