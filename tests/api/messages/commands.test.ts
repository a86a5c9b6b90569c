/** Changing, cancelling and releasing what waits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MessagesApi, outboxOf, startMessagesApi, wholeDay, type Writer } from './support.ts';

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(async () => {
  await api?.stop();
});

const dayMs = 86_400_000;
const text = 'Is Tuesday good? Reply STOP to opt out.';
const inMs = (millis: number) => new Date(api.clock.now().getTime() + millis).toISOString();

/** A window that is open only the day after tomorrow. */
const closed = () => {
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const days = [names[new Date(api.clock.now().getTime() + 2 * dayMs).getUTCDay()]!];
  return { ...wholeDay, startTime: '08:00', endTime: '16:00', days };
};
const closedWriter = () => api.writer({ sendWindow: closed() });

async function held(writer: Writer, given: Record<string, unknown> = {}): Promise<string> {
  const contact = await api.contact(writer, { firstName: 'Ann' });
  const { status, body } = await writer.client.post('/v1/messages', { contactId: contact.id, body: text, ...given });
  if (status !== 202) throw new Error(JSON.stringify(body));
  return body.id;
}
const claim = (id: string) =>
  api.database.system
    .updateTable('outbox')
    .set({ claimed_at: api.clock.now(), attempt_id: 'somebody' })
    .where('message_id', '=', id)
    .execute();

describe('PATCH', () => {
  it('changes the text of what waits, counted and filled in anew, and leaves it in its place', async () => {
    const writer = await closedWriter();
    const id = await held(writer);
    const [before] = await outboxOf(api, writer.organizationId);
    const changed = await writer.client.patch(`/v1/messages/${id}`, {
      body: 'Hi {{contact.firstName}}, STOP ends it. é😀',
    });
    expect(changed).toMatchObject({ status: 200, body: { body: 'Hi Ann, STOP ends it. é😀', segments: 1 } });
    expect(await outboxOf(api, writer.organizationId)).toEqual([before]);
  });

  it('puts the disclaimer back into the first message', async () => {
    const writer = await closedWriter();
    const contact = await api.contact(writer);
    const write = (body: string) => writer.client.post('/v1/messages', { contactId: contact.id, body });
    const first = (await write('One.')).body.id;
    await write('Two.');
    expect((await writer.client.patch(`/v1/messages/${first}`, { body: 'Ones.' })).body.body).toMatch(/^Ones\. .*STOP/);
  });

  it('takes back a text as it was read, with the disclaimer, which neither counts nor comes twice', async () => {
    const writer = await api.writer({ sendWindow: closed(), maxMessageLength: 160 });
    const id = await held(writer, { body: 'a'.repeat(150) });
    const { body } = (await writer.client.get(`/v1/messages/${id}`)).body;
    expect(body.length).toBeGreaterThan(160);
    const patch = (text: string) => writer.client.patch(`/v1/messages/${id}`, { body: text });
    const changed = body.replace('aaa', 'bbb');
    expect(await patch(changed)).toMatchObject({ status: 200, body: { body: changed } });
    expect((await patch(`${'a'.repeat(11)}${body}`)).body.reason).toBe('too_long');
  });

  it('judges the text by the rules for new ones', async () => {
    const writer = await api.writer({ sendWindow: closed(), maxMessageLength: 160 });
    const id = await held(writer);
    const patch = (given: Record<string, unknown>) => writer.client.patch(`/v1/messages/${id}`, given);
    expect(await patch({ body: 'a'.repeat(161) })).toMatchObject({ status: 422, body: { reason: 'too_long' } });
    expect((await patch({ body: '{{contact.lastName}}' })).status).toBe(400);
    expect((await patch({ body: '{{nonsense}}' })).status).toBe(400);
    expect((await patch({ sendAt: inMs(-1) })).body.reason).toBe('send_at_in_the_past');
    expect((await patch({})).status).toBe(400);
    expect((await writer.client.get(`/v1/messages/${id}`)).body.body).toBe(text);
  });

  it('gives it another time, and takes it away again', async () => {
    const writer = await api.writer();
    const id = await held(writer);
    const sendAt = inMs(dayMs);
    const before = api.told.length;
    expect(await writer.client.patch(`/v1/messages/${id}`, { sendAt })).toMatchObject({
      body: { status: 'scheduled', sendAt, heldUntil: sendAt, heldReason: null },
    });
    expect(await writer.client.patch(`/v1/messages/${id}`, { sendAt: null })).toMatchObject({
      body: { status: 'queued', sendAt: null, heldUntil: null },
    });
    expect(api.told.length).toBe(before + 2);
  });

  it('makes a reply that is put off one that was written ahead: it needs consent then', async () => {
    const writer = await api.writer();
    const contact = await api.contact(writer, { consent: false });
    await api.hearFrom(writer, contact);
    const { body } = await writer.client.post('/v1/messages', { contactId: contact.id, body: text });
    const refusal = await writer.client.patch(`/v1/messages/${body.id}`, { sendAt: inMs(dayMs) });
    expect(refusal).toMatchObject({ status: 422, body: { reason: 'no_consent' } });
  });

  it('is refused when the contact has another number since', async () => {
    const writer = await closedWriter();
    const id = await held(writer);
    await api.database.system
      .updateTable('contacts')
      .set({ mobile: '+12085550100' })
      .where('organization_id', '=', writer.organizationId)
      .execute();
    expect(await writer.client.patch(`/v1/messages/${id}`, { body: 'x' })).toMatchObject({
      status: 422,
      body: { reason: 'contact_changed' },
    });
  });

  it('changes a message that is held for an opt-in, which stays held', async () => {
    const writer = await api.writer();
    const contact = await api.contact(writer, { consent: false, ownerId: writer.user.id });
    const journey = { contactId: contact.id, body: text, source: 'journey' };
    const { id } = (await writer.office.post('/v1/messages', journey)).body;
    const sendAt = inMs(dayMs);
    expect(await writer.client.patch(`/v1/messages/${id}`, { body: 'Later.', sendAt })).toMatchObject({
      status: 200,
      body: { status: 'held', heldReason: 'awaiting_opt_in', body: 'Later.', sendAt },
    });
  });
});

describe('cancel', () => {
  it('ends what waits for good, once', async () => {
    const writer = await closedWriter();
    const id = await held(writer);
    const cancelled = await writer.client.post(`/v1/messages/${id}/cancel`);
    expect(cancelled).toMatchObject({
      status: 200,
      body: { status: 'cancelled', heldUntil: null, errorReason: 'Somebody cancelled it.' },
    });
    expect(await outboxOf(api, writer.organizationId)).toEqual([]);
    const again = await writer.client.post(`/v1/messages/${id}/cancel`);
    expect(again).toMatchObject({ status: 409, body: { allowed: [] } });
    const read = await writer.client.get(`/v1/messages/${id}`);
    expect(read.body.events.map((one: { status: string }) => one.status)).toEqual(['queued', 'cancelled']);
  });

  it('is answered again to a repeated Idempotency-Key', async () => {
    const writer = await closedWriter();
    const id = await held(writer);
    const headers = { 'idempotency-key': 'cancel' };
    const first = await writer.client.post(`/v1/messages/${id}/cancel`, {}, headers);
    const second = await writer.client.post(`/v1/messages/${id}/cancel`, {}, headers);
    expect([first.status, second.status]).toEqual([200, 200]);
  });
});

describe('release', () => {
  it("takes a message out of the organization's window and of its time, and is audited", async () => {
    const writer = await closedWriter();
    for (const given of [{}, { sendAt: inMs(3 * dayMs) }]) {
      const id = await held(writer, given);
      const released = await writer.client.post(`/v1/messages/${id}/release`);
      expect(released).toMatchObject({
        status: 200,
        body: { status: 'queued', sendAt: null, heldUntil: null, heldReason: null },
      });
    }
    const rows = await outboxOf(api, writer.organizationId);
    expect(rows).toMatchObject([{ released: true }, { released: true }]);
    const { items } = (await writer.office.get('/v1/audit-log')).body;
    expect(items.filter((one: { action: string }) => one.action === 'message.released')).toHaveLength(2);
  });

  it('never breaks the lawful hours where they count, and says until when', async () => {
    const writer = await api.writer({ sendWindowMode: 'recipient', sendWindow: closed() });
    // Nobody may be texted at the four in the morning of Boise that comes next.
    const boise = new Date(api.clock.now());
    boise.setUTCHours(11, 0, 0, 0);
    const forward = boise.getTime() - api.clock.now().getTime();
    api.clock.advance(forward > 0 ? forward : forward + dayMs);
    const id = await held(writer);
    const refusal = await writer.client.post(`/v1/messages/${id}/release`);
    expect(refusal).toMatchObject({
      status: 422,
      body: { reason: 'quiet_hours', detail: expect.stringContaining('Idaho') },
    });
    expect(Date.parse(refusal.body.until)).toBeGreaterThan(api.clock.now().getTime());
    api.clock.advance(10 * 3_600_000);
    expect((await writer.client.post(`/v1/messages/${id}/release`)).status).toBe(200);
  });

  it('is no way around an opt-in', async () => {
    const writer = await api.writer();
    const contact = await api.contact(writer, { consent: false, ownerId: writer.user.id });
    const journey = { contactId: contact.id, body: text, source: 'journey' };
    const { id } = (await writer.office.post('/v1/messages', journey)).body;
    expect(await writer.client.post(`/v1/messages/${id}/release`)).toMatchObject({
      status: 422,
      body: { reason: 'awaiting_opt_in' },
    });
  });

  it('needs the permission', async () => {
    const writer = await closedWriter();
    const id = await held(writer);
    const user = await api.user(writer, 'registered', ['messages:send']);
    expect((await user.client.post(`/v1/messages/${id}/release`)).status).toBe(403);
  });

  it('of what is due already changes nothing', async () => {
    const writer = await api.writer();
    const id = await held(writer);
    const before = await outboxOf(api, writer.organizationId);
    expect((await writer.client.post(`/v1/messages/${id}/release`)).status).toBe(200);
    expect(await outboxOf(api, writer.organizationId)).toEqual(before);
  });
});

describe('what cannot be changed any more', () => {
  const attempts = async (writer: Writer, id: string) => [
    await writer.client.patch(`/v1/messages/${id}`, { body: 'x' }),
    await writer.client.post(`/v1/messages/${id}/cancel`),
    await writer.client.post(`/v1/messages/${id}/release`),
  ];

  it('is a message that is being sent, or was', async () => {
    const writer = await api.writer();
    const id = await held(writer);
    await claim(id);
    await api.database.system.updateTable('messages').set({ status: 'sending' }).where('id', '=', id).execute();
    for (const answer of await attempts(writer, id)) {
      expect(answer).toMatchObject({
        status: 409,
        body: { allowed: [], detail: expect.stringContaining('is being sent') },
      });
    }
    await api.database.system.updateTable('messages').set({ status: 'delivered' }).where('id', '=', id).execute();
    await api.database.system.deleteFrom('outbox').where('message_id', '=', id).execute();
    for (const answer of await attempts(writer, id)) {
      expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('is delivered') } });
    }
  });

  it('is a message of a contact', async () => {
    const writer = await api.writer();
    await api.hearFrom(writer, await api.contact(writer));
    const { items } = (await writer.client.get('/v1/messages')).body;
    expect(items).toHaveLength(1);
    for (const answer of await attempts(writer, items[0].id)) {
      expect(answer).toMatchObject({ status: 409, body: { allowed: [] } });
    }
  });

  it('is a message of a mass SMS: the answer names it', async () => {
    const writer = await api.writer();
    const id = await held(writer);
    await api.database.system
      .updateTable('messages')
      .set({ mass_sms_id: 'mms_1', batch_number: 1, rank: 1 })
      .where('id', '=', id)
      .execute();
    for (const answer of await attempts(writer, id)) {
      expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('mms_1') } });
    }
  });

  it('is none that nobody knows', async () => {
    const writer = await api.writer();
    for (const answer of await attempts(writer, 'msg_unknown')) expect(answer.status).toBe(404);
  });
});

describe('a window that is changed', () => {
  it('has everything that waits for it judged anew, and what has its own time left alone', async () => {
    const writer = await closedWriter();
    const waiting = await held(writer);
    const scheduled = await held(await api.writer(), { sendAt: inMs(dayMs) });
    const before = api.told.length;
    await writer.office.patch('/v1/settings', { massSmsLimit: 10 });
    expect(api.told.length).toBe(before);
    await writer.office.patch('/v1/settings', { sendWindow: { startTime: '09:00' } });
    expect(api.told.slice(before)).toEqual([`outbox/${writer.organizationId}`]);
    const [row] = await outboxOf(api, writer.organizationId);
    expect(row).toMatchObject({ message_id: waiting });
    expect(row!.due_at.getTime()).toBeLessThanOrEqual(api.clock.now().getTime());
    expect(scheduled).toBeDefined();
  });
});
