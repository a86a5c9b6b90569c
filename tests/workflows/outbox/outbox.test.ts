/** Messages one by one through nights and windows: the whole product on one clock that can be moved. */
import { DateTime } from 'luxon';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { outboxWorkflowId } from '../../../workflows/ids.ts';
import { eventually } from '../../harness/eventually.ts';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import { accepted, moveTo, next, zone } from '../support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
});
afterEach(async () => {
  await system.twilio.reset();
});

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const office = { startTime: '08:00', endTime: '16:00', timeZone: zone, days };
const keep = (organization: EnabledOrganization, what: string) =>
  keepHistory(system.temporal, outboxWorkflowId(organization.id), `outbox.${what}`);

type Sender = EnabledOrganization & { asUser: EnabledOrganization['client'] };

async function sender(settings: Record<string, unknown> = {}): Promise<Sender> {
  const organization = await system.enabledOrganization({ settings: { sendWindow: office, ...settings } });
  return Object.assign(organization, { asUser: system.client(organization.key, { user: organization.user.id }) });
}

let nextNumber = 2_340_000 + Math.floor(Math.random() * 100_000);
/** Somebody with a number of Idaho, which lies in two time zones. */
async function boise({ client }: Sender, consent = true): Promise<{ id: string; mobile: string }> {
  const made = await client.post('/v1/contacts', { mobile: `+1208${(nextNumber += 1)}` });
  expect(made).toMatchObject({ status: 201, body: { phoneStatus: 'valid' } });
  const fact = { purpose: 'transactional', granted: consent, method: 'web_form' };
  expect((await client.post(`/v1/contacts/${made.body.id}/consent`, fact)).status).toBe(201);
  return { id: made.body.id, mobile: made.body.mobile };
}

async function write({ asUser }: Sender, contactId: string, given: Record<string, unknown> = {}) {
  const { status, body } = await asUser.post('/v1/messages', {
    contactId,
    body: 'Hi. Reply STOP to opt out.',
    ...given,
  });
  expect({ status, body }).toMatchObject({ status: 202 });
  return body;
}
const read = async ({ client }: Sender, id: string) => (await client.get(`/v1/messages/${id}`)).body;
const until = (from: Sender, id: string, expected: Record<string, unknown>) =>
  eventually(async () => expect(await read(from, id)).toMatchObject(expected));

/** The local minutes at which messages were accepted, in order. */
const times = async (from: Sender) =>
  (await accepted(system, from)).map(({ acceptedAt }) => DateTime.fromISO(acceptedAt, { zone }).toFormat('ccc HH:mm'));
const instant = (moment: DateTime) => moment.toUTC().toISO();

describe('a message to Boise from Chicago', () => {
  it("written at night waits for the organization's window, says until when and why, and leaves then", async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '20:00'));
    const contact = await boise(acme);
    const opening = await next(system, 3, '08:00');
    const message = await write(acme, contact.id);
    expect(message).toMatchObject({
      status: 'queued',
      heldUntil: instant(opening),
      heldReason: 'outside_window',
      heldDetail: 'The sending window is open from 08:00 to 16:00 (America/Chicago) every day.',
      warning: null,
    });
    await moveTo(system, opening.minus({ minutes: 1 }));
    expect(await times(acme)).toEqual([]);
    expect(await read(acme, message.id)).toMatchObject({ heldUntil: instant(opening) });
    await moveTo(system, opening.plus({ minutes: 1 }));
    await until(acme, message.id, { status: 'delivered', heldUntil: null, heldReason: null });
    expect(await times(acme)).toEqual(['Wed 08:00']);
    // An idle hour later nothing is left of it but the rows.
    await moveTo(system, opening.plus({ hours: 2 }));
    await eventually(async () => {
      const handle = system.temporal.workflow.getHandle(outboxWorkflowId(acme.id));
      expect((await handle.describe()).status.name).toBe('COMPLETED');
    });
    await keep(acme, 'windowOpens');
  });

  it('in recipient mode waits until it is lawful in all of Idaho, and says so', async () => {
    const acme = await sender({ sendWindowMode: 'recipient' });
    await moveTo(system, await next(system, 2, '20:00'));
    const contact = await boise(acme);
    const message = await write(acme, contact.id);
    // Eight o'clock in the part of Idaho that keeps Pacific time.
    const lawful = await next(system, 3, '10:00');
    expect(message).toMatchObject({ heldUntil: instant(lawful), heldReason: 'outside_window' });
    expect(message.heldDetail).toMatch(/sending window.*Idaho.*America\/Boise/);
    await moveTo(system, lawful.minus({ minutes: 1 }));
    expect(await times(acme)).toEqual([]);
    await moveTo(system, lawful.plus({ minutes: 1 }));
    await until(acme, message.id, { status: 'delivered' });
    expect(await times(acme)).toEqual(['Wed 10:00']);
  });

  it('in recipient mode written in the window but too early there is held by the quiet hours', async () => {
    const acme = await sender({ sendWindowMode: 'recipient' });
    await moveTo(system, await next(system, 2, '08:30'));
    const contact = await boise(acme);
    const message = await write(acme, contact.id);
    expect(message).toMatchObject({ heldReason: 'outside_window', heldDetail: expect.stringContaining('Idaho') });
    const refusal = await acme.client.post(`/v1/messages/${message.id}/release`);
    expect(refusal).toMatchObject({ status: 422, body: { reason: 'quiet_hours', until: message.heldUntil } });
    await moveTo(system, (await next(system, 2, '10:01')).minus({ days: 7 }));
    await until(acme, message.id, { status: 'delivered' });
    expect(await times(acme)).toEqual(['Tue 10:00']);
  });

  it('who has just written is answered at once, at night, with a warning', async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '23:30'));
    const contact = await boise(acme, false);
    expect(
      await system.twilio.inbound({ from: contact.mobile, to: acme.line.phoneNumber, body: 'Are you there?' }),
    ).toMatchObject({
      status: 200,
    });
    const message = await write(acme, contact.id);
    expect(message).toMatchObject({ status: 'queued', heldUntil: null, warning: expect.stringContaining('Idaho') });
    await until(acme, message.id, { status: expect.stringMatching(/accepted|sent|delivered/) });
    expect(await times(acme)).toEqual(['Tue 23:30']);
  });
});

describe('what waits', () => {
  it('goes out to nobody who says STOP meanwhile', async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '20:00'));
    const [ann, bob] = [await boise(acme), await boise(acme)];
    const stopped = [await write(acme, ann.id), await write(acme, ann.id), await write(acme, ann.id)];
    const kept = await write(acme, bob.id);
    await system.twilio.inbound({ from: ann.mobile, to: acme.line.phoneNumber, body: 'stop', optOutType: 'STOP' });
    await moveTo(system, await next(system, 3, '08:01'));
    await until(acme, kept.id, { status: 'delivered' });
    for (const { id } of stopped) {
      expect(await read(acme, id)).toMatchObject({
        status: 'cancelled',
        errorReason: expect.stringContaining('opted out'),
      });
    }
    expect((await accepted(system, acme)).map(({ to }) => to)).toEqual([bob.mobile]);
  });

  it('goes out in order to each contact, an edited one in its place, a cancelled one not, a released one before', async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '20:00'));
    const contacts = [await boise(acme), await boise(acme), await boise(acme)];
    const ids = new Map<string, string[]>();
    for (let n = 0; n < 4; n += 1) {
      for (const { id, mobile } of contacts) {
        const message = await write(acme, id, { body: `Number ${n}. Reply STOP to opt out.` });
        ids.set(mobile, [...(ids.get(mobile) ?? []), message.id]);
      }
    }
    const [ann, bob, cy] = contacts.map(({ mobile }) => ids.get(mobile)!);
    expect((await acme.client.patch(`/v1/messages/${ann![1]}`, { body: 'Number 1, edited.' })).status).toBe(200);
    expect((await acme.client.post(`/v1/messages/${bob![2]}/cancel`)).status).toBe(200);
    expect((await acme.client.post(`/v1/messages/${cy![3]}/release`)).status).toBe(200);
    await until(acme, cy![3]!, { status: expect.stringMatching(/accepted|sent|delivered/) });
    expect(await times(acme)).toEqual(['Tue 20:00']);
    await moveTo(system, await next(system, 3, '08:01'));
    for (const id of [ann![3], bob![3], cy![2]]) await until(acme, id!, { status: 'delivered' });
    const bodies = async (mobile: string) =>
      (await accepted(system, acme)).filter(({ to }) => to === mobile).map(({ body }) => body.slice(0, 16));
    expect(await bodies(contacts[0]!.mobile)).toEqual([
      'Number 0. Reply ',
      'Number 1, edited',
      'Number 2. Reply ',
      'Number 3. Reply ',
    ]);
    expect(await bodies(contacts[1]!.mobile)).toEqual(['Number 0. Reply ', 'Number 1. Reply ', 'Number 3. Reply ']);
    expect(await bodies(contacts[2]!.mobile)).toEqual([
      'Number 3. Reply ',
      'Number 0. Reply ',
      'Number 1. Reply ',
      'Number 2. Reply ',
    ]);
    await keep(acme, 'releasedEarly');
  });

  it('leaves at once when the window is opened', async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '20:00'));
    const contact = await boise(acme);
    const message = await write(acme, contact.id);
    await acme.client.patch('/v1/settings', { sendWindow: { endTime: '22:00' } });
    await until(acme, message.id, { status: expect.stringMatching(/accepted|sent|delivered/) });
    expect(await times(acme)).toEqual(['Tue 20:00']);
    await keep(acme, 'windowChanged');
  });

  it('leaves at its own time, at another one it is given, and the outbox wakes for the earlier one of two', async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '09:00'));
    const contact = await boise(acme);
    const at = async (time: string) => (await next(system, 2, time)).minus({ days: 7 }).toISO();
    const late = await write(acme, contact.id, { sendAt: await at('15:00') });
    expect(late).toMatchObject({ status: 'scheduled', heldReason: null });
    const early = await write(acme, contact.id, { sendAt: await at('11:00') });
    const moved = await write(acme, contact.id, { sendAt: await at('10:00') });
    expect((await acme.client.patch(`/v1/messages/${moved.id}`, { sendAt: await at('13:00') })).status).toBe(200);
    await moveTo(system, DateTime.fromISO(await at('15:01'), { zone }));
    for (const { id } of [late, early, moved]) await until(acme, id, { status: 'delivered' });
    expect(await times(acme)).toEqual(['Tue 11:00', 'Tue 13:00', 'Tue 15:00']);
    await keep(acme, 'wokenEarlier');
  });

  it('ends with its line when that is released in the meantime', async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '20:00'));
    const contact = await boise(acme);
    const message = await write(acme, contact.id);
    const release = { numberIds: [acme.line.id], confirm: 'irreversible' };
    expect(await acme.client.post('/v1/numbers/release', release)).toMatchObject({
      status: 200,
      body: { released: [acme.line.id] },
    });
    expect(await read(acme, message.id)).toMatchObject({
      status: 'cancelled',
      heldUntil: null,
      errorReason: 'The line it was to leave from was given up.',
    });
    await moveTo(system, await next(system, 3, '08:01'));
    expect(await times(acme)).toEqual([]);
  });

  it('is settled before it is sent again when the answer of Twilio was lost', async () => {
    const acme = await sender();
    await moveTo(system, await next(system, 2, '09:00'));
    await system.twilio.behaviour({ dropResponseRate: 1, callbacks: { dropRate: 1 } });
    const contact = await boise(acme);
    const message = await write(acme, contact.id);
    await until(acme, message.id, { status: 'in_doubt' });
    await system.twilio.behaviour({ dropResponseRate: 0 });
    await system.advance('2 minutes');
    await until(acme, message.id, { status: expect.stringMatching(/accepted|sent|delivered/) });
    expect(await times(acme)).toEqual(['Tue 09:00']);
    await keep(acme, 'doubtSettled');
  });
});
