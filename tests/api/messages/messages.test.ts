/** Messages one by one over HTTP: what is accepted and how it reads. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../domain/settings.ts';
import { type MessagesApi, outboxOf, startMessagesApi, wholeDay, type Writer } from './support.ts';

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
const disclaimer = defaultSettings.disclaimer.replace('{{organization.name}}', 'Acme');
const dayMs = 86_400_000;
const inMs = (millis: number) => new Date(api.clock.now().getTime() + millis).toISOString();
const send = async (writer: Writer, contactId: string, given: Record<string, unknown> = {}) =>
  writer.client.post('/v1/messages', { contactId, body: text, ...given });

/** A window on today's date in Chicago that is over, or one that is open only tomorrow. */
const closedWindow = () => {
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
  const tomorrow = new Date(api.clock.now().getTime() + 2 * dayMs).getUTCDay();
  return { ...wholeDay, startTime: '08:00', endTime: '16:00', days: [names[tomorrow]!] };
};

describe('a message', () => {
  it('is accepted, queued to leave at once, and reads back with what happened to it', async () => {
    const contact = await api.contact(sam);
    await api.hearFrom(sam, contact);
    const { status, body } = await send(sam, contact.id);
    expect(status).toBe(202);
    expect(body).toMatchObject({
      direction: 'outbound',
      status: 'queued',
      from: sam.line,
      to: contact.mobile,
      contactId: contact.id,
      userId: sam.user.id,
      source: 'user',
      purpose: 'transactional',
      massSmsId: null,
      sendAt: null,
      heldUntil: null,
      heldReason: null,
      errorReason: null,
    });
    const read = await sam.client.get(`/v1/messages/${body.id}`);
    expect(read).toMatchObject({
      status: 200,
      body: { id: body.id, events: [{ status: 'queued', at: body.createdAt }] },
    });
    expect(await outboxOf(api, sam.organizationId)).toMatchObject([
      { message_id: body.id, priority: 0, claimed_at: null },
    ]);
    expect(api.told).toContain(`outbox/${sam.organizationId}`);
  });

  it('has its merge codes filled in, and is counted in segments as it will be sent', async () => {
    const contact = await api.contact(sam, { firstName: 'Zoë' });
    const written = '{{ contact.firstName }}, {{user.name}} of {{organization.name}} here. Reply STOP to opt out.';
    const { body } = await send(sam, contact.id, { body: written });
    expect(body.body).toBe('Zoë, Sam Sender of Acme here. Reply STOP to opt out.');
    expect(body.segments).toBe(1);
    expect((await sam.client.post('/v1/segments', { body: body.body })).body).toEqual({
      encoding: 'UCS-2',
      segments: 1,
      characters: 52,
    });
  });

  it('carries the disclaimer when it is the first to its number, and only then', async () => {
    const contact = await api.contact(sam);
    const first = await send(sam, contact.id);
    expect(first.body.body).toBe(`${text} ${disclaimer}`);
    expect((await send(sam, contact.id)).body.body).toBe(text);
    const other = await api.contact(sam);
    const honest = 'Hi, it is Sam. Reply STOP to opt out.';
    expect((await send(sam, other.id, { body: honest })).body.body).toBe(honest);
    const third = await api.contact(sam);
    expect((await send(sam, third.id, { body: 'Stop by, nonSTOP.' })).body.body).toContain(disclaimer);
  });

  it('carries the disclaimer again when the first one was cancelled', async () => {
    const contact = await api.contact(sam);
    const first = await send(sam, contact.id);
    expect((await sam.client.post(`/v1/messages/${first.body.id}/cancel`)).status).toBe(200);
    expect((await send(sam, contact.id)).body.body).toContain(disclaimer);
  });

  it('is accepted once per Idempotency-Key, and wakes the outbox again when it is repeated', async () => {
    const contact = await api.contact(sam);
    const headers = { 'idempotency-key': 'one-message' };
    const request = { contactId: contact.id, body: text };
    const before = api.told.length;
    const first = await sam.client.post('/v1/messages', request, headers);
    const second = await sam.client.post('/v1/messages', request, headers);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body).toEqual(first.body);
    expect(api.told.length).toBe(before + 2);
    expect((await sam.client.get(`/v1/messages?contactId=${contact.id}`)).body.items).toHaveLength(1);
  });

  it('is told to the event streams', async () => {
    const contact = await api.contact(sam);
    const { body } = await send(sam, contact.id);
    const events = await api.database.system
      .selectFrom('events')
      .select(['type', 'data'])
      .where('organization_id', '=', sam.organizationId)
      .execute();
    expect(events).toContainEqual({
      type: 'message.updated',
      data: { messageId: body.id, contactId: contact.id, status: 'queued' },
    });
  });
});

describe('outside the sending window', () => {
  it('a first message waits, and says until when and why; it wakes the outbox once for all that wait', async () => {
    const writer = await api.writer({ sendWindow: closedWindow() });
    const contact = await api.contact(writer);
    const before = api.told.length;
    const { body } = await send(writer, contact.id);
    expect(body).toMatchObject({ status: 'queued', heldReason: 'outside_window', warning: null });
    expect(body.heldDetail).toMatch(
      /^The sending window is open from 08:00 to 16:00 \(America\/Chicago\) on \w+days\.$/,
    );
    expect(Date.parse(body.heldUntil)).toBeGreaterThan(api.clock.now().getTime());
    expect(api.told.length).toBe(before + 1);
    await send(writer, (await api.contact(writer)).id);
    expect(api.told.length).toBe(before + 1);
  });

  it('a reply to somebody who wrote within a day leaves at once, also without consent', async () => {
    const writer = await api.writer({ sendWindow: closedWindow() });
    const contact = await api.contact(writer, { consent: false });
    await api.hearFrom(writer, contact, new Date(api.clock.now().getTime() - 23 * 3_600_000));
    const { status, body } = await send(writer, contact.id);
    expect({ status, body }).toMatchObject({
      status: 202,
      body: { status: 'queued', heldUntil: null, heldReason: null },
    });
    expect(body).toHaveProperty('warning');
  });

  it('a reply that promotes something needs that consent', async () => {
    const contact = await api.contact(sam, { consent: false });
    await api.hearFrom(sam, contact);
    const refused = await send(sam, contact.id, { purpose: 'promotional' });
    expect(refused).toMatchObject({ status: 422, body: { reason: 'no_consent' } });
  });

  it('who wrote longer ago is written to anew: with consent, and in the window', async () => {
    const writer = await api.writer({ sendWindow: closedWindow() });
    const contact = await api.contact(writer, { consent: false });
    await api.hearFrom(writer, contact, new Date(api.clock.now().getTime() - 25 * 3_600_000));
    expect(await send(writer, contact.id)).toMatchObject({ status: 422, body: { reason: 'no_consent' } });
  });

  it('who wrote to another line is no partner of this one', async () => {
    const contact = await api.contact(sam, { consent: false });
    await api.hearFrom({ ...sam, line: '+13125550000' }, contact);
    expect(await send(sam, contact.id)).toMatchObject({ status: 422, body: { reason: 'no_consent' } });
  });
});

describe('a scheduled message', () => {
  it('waits for its time as scheduled, without a reason', async () => {
    const contact = await api.contact(sam);
    const sendAt = inMs(3 * dayMs);
    const { body } = await send(sam, contact.id, { sendAt });
    expect(body).toMatchObject({ status: 'scheduled', sendAt, heldUntil: sendAt, heldReason: null });
    const read = await sam.client.get(`/v1/messages/${body.id}`);
    expect(read.body.events).toEqual([{ status: 'scheduled', at: body.createdAt }]);
  });

  it('outside the window says what else holds it', async () => {
    const writer = await api.writer({ sendWindow: closedWindow() });
    const contact = await api.contact(writer);
    const sendAt = inMs(3_600_000);
    const { body } = await send(writer, contact.id, { sendAt });
    expect(body).toMatchObject({ status: 'scheduled', sendAt, heldReason: 'outside_window' });
    expect(body.heldUntil > sendAt).toBe(true);
  });

  it('is no reply, however lately the contact wrote', async () => {
    const contact = await api.contact(sam, { consent: false });
    await api.hearFrom(sam, contact);
    const refusal = await send(sam, contact.id, { sendAt: inMs(3_600_000) });
    expect(refusal).toMatchObject({ status: 422, body: { reason: 'no_consent' } });
  });

  it.for([
    ['has passed', -1, 'send_at_in_the_past'],
    ['is more than a year ahead', 367 * dayMs, 'send_at_too_far'],
  ] as const)('is refused when its time %s', async ([, offset, reason]) => {
    const contact = await api.contact(sam);
    expect(await send(sam, contact.id, { sendAt: inMs(offset) })).toMatchObject({ status: 422, body: { reason } });
  });
});

describe('an automated message', () => {
  it('goes out in the name and from the line of the owner', async () => {
    const owner = await api.user(sam, 'registered');
    const contact = await api.contact(sam, { ownerId: owner.id });
    const { status, body } = await sam.office.post('/v1/messages', {
      contactId: contact.id,
      body: '{{user.name}} says hi.',
      source: 'journey',
    });
    expect({ status, body }).toMatchObject({
      status: 202,
      body: { userId: owner.id, source: 'journey', status: 'queued' },
    });
    expect(body.from).not.toBe(sam.line);
  });

  it('to somebody who has not agreed is held, and one opt-in request goes first', async () => {
    const contact = await api.contact(sam, { consent: false, ownerId: sam.user.id });
    const journey = { contactId: contact.id, body: text, source: 'journey' };
    const first = await sam.office.post('/v1/messages', journey);
    expect(first).toMatchObject({
      status: 202,
      body: { status: 'held', heldReason: 'awaiting_opt_in', heldUntil: null },
    });
    expect(first.body.heldDetail).toMatch(/after a YES/);
    const second = await sam.office.post('/v1/messages', journey);
    expect(second).toMatchObject({ status: 202, body: { status: 'held' } });
    const { items } = (await sam.client.get(`/v1/messages?contactId=${contact.id}`)).body;
    expect(items.map((item: { source: string }) => item.source)).toEqual(['journey', 'journey', 'opt_in']);
    expect(items[0].body).toBe(text);
    expect(api.told).toContain(`opt-in/${sam.user.id}/${contact.id}`);
    expect(await outboxOf(api, sam.organizationId)).not.toContainEqual(
      expect.objectContaining({ message_id: first.body.id }),
    );
  });

  it('that is held is queued when the consent is recorded instead, and nobody is asked any more', async () => {
    const contact = await api.contact(sam, { consent: false, ownerId: sam.user.id });
    const { body: held } = await send(sam, contact.id, { source: 'journey' });
    expect(held.status).toBe('held');
    const fact = { granted: true, method: 'web_form' };
    const told = api.told.length;
    await sam.office.post(`/v1/contacts/${contact.id}/consent`, { ...fact, purpose: 'promotional' });
    expect((await sam.client.get(`/v1/messages/${held.id}`)).body.status).toBe('held');
    await sam.office.post(`/v1/contacts/${contact.id}/consent`, { ...fact, purpose: 'transactional' });
    expect((await sam.client.get(`/v1/messages/${held.id}`)).body.status).toBe('queued');
    expect(await outboxOf(api, sam.organizationId)).toContainEqual(expect.objectContaining({ message_id: held.id }));
    expect(api.told.slice(told)).toEqual([`outbox/${sam.organizationId}`]);
  });

  it('for promotion is refused without that consent: a YES would not give it', async () => {
    const contact = await api.contact(sam, { consent: false, ownerId: sam.user.id });
    const refusal = await send(sam, contact.id, { source: 'journey', purpose: 'promotional' });
    expect(refusal).toMatchObject({ status: 422, body: { reason: 'no_consent' } });
  });

  it('is refused when the contact has no owner, or one who is deactivated', async () => {
    const alone = await api.contact(sam);
    expect(await send(sam, alone.id, { source: 'journey' })).toMatchObject({
      status: 422,
      body: { reason: 'no_owner', detail: expect.stringContaining(`/v1/contacts/${alone.id}`) },
    });
    const gone = await api.user(sam, 'registered');
    await sam.office.patch(`/v1/users/${gone.id}`, { active: false });
    const orphan = await api.contact(sam, { ownerId: gone.id });
    expect(await send(sam, orphan.id, { source: 'journey' })).toMatchObject({
      status: 422,
      body: { reason: 'no_owner' },
    });
  });

  it('is refused when the contact cannot be asked once more', async () => {
    const contact = await api.contact(sam, { consent: false, ownerId: sam.user.id });
    for (let n = 0; n < 3; n += 1) {
      expect((await sam.client.post('/v1/opt-in-requests', { contactId: contact.id })).status).toBe(202);
      await api.database.system
        .updateTable('opt_in_requests')
        .set({ state: 'expired', requested_at: new Date(api.clock.now().getTime() - (30 - n) * dayMs) })
        .where('contact_id', '=', contact.id)
        .where('state', '=', 'waiting')
        .execute();
    }
    const refusal = await send(sam, contact.id, { source: 'journey' });
    expect(refusal).toMatchObject({ status: 422, body: { reason: 'limit_reached' } });
  });
});
