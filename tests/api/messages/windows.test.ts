/** Until when a message waits, and why, as the API says it: a user in Chicago writes to somebody in Idaho. */
import { DateTime } from 'luxon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultSettings } from '../../../domain/settings.ts';
import { type MessagesApi, startMessagesApi, type Writer } from './support.ts';

const chicago = 'America/Chicago';
let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
  // Half an hour before the default window opens, on a weekday that is no holiday.
  let half = DateTime.fromJSDate(api.clock.now(), { zone: chicago }).plus({ days: 1 }).set({ hour: 7, minute: 30 });
  while (half.weekday !== 2) half = half.plus({ days: 1 });
  api.clock.set(half.startOf('minute').toJSDate());
  api.clock.hold();
});
afterAll(async () => {
  await api?.stop();
});

let nextNumber = 4_000_000;

async function idahoan(writer: Writer, given: Record<string, unknown>): Promise<{ id: string; mobile: string }> {
  const made = await writer.office.post('/v1/contacts', { mobile: `+1208${(nextNumber += 1)}`, ...given });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  const consent = { purpose: 'transactional', granted: true, method: 'web_form' };
  await writer.office.post(`/v1/contacts/${made.body.id}/consent`, consent);
  return made.body;
}

const writerIn = (sendWindowMode: 'organization' | 'recipient') =>
  api.writer({ sendWindow: defaultSettings.sendWindow, sendWindowMode });
const write = (writer: Writer, contactId: string, given: Record<string, unknown> = {}) =>
  writer.client.post('/v1/messages', { contactId, body: 'Is Tuesday good? Reply STOP to opt out.', ...given });
const inChicago = (instant: string) => DateTime.fromISO(instant, { zone: chicago }).toFormat('HH:mm');

describe('at 07:30 in Chicago', () => {
  const window = 'The sending window is open from 08:00 to 16:00 (America/Chicago)';

  it.for([
    ['organization', 'a number of Idaho', {}, '08:00', null],
    ['organization', 'an address in Boise', { postalCode: '83702' }, '08:00', null],
    // Eight o'clock in the part of Idaho that keeps Pacific time: the strictest reading of the number.
    ['recipient', 'a number of Idaho', {}, '10:00', /Idaho \(America\/Boise or America\/Los_Angeles\).*08:00 to 21:00/],
    ['recipient', 'an address in Boise', { postalCode: '83702' }, '09:00', /07:00 in Idaho \(America\/Boise\)/],
    ['recipient', 'a stated zone', { timeZone: 'America/Boise' }, '09:00', /07:00 in Idaho \(America\/Boise\)/],
  ] as const)(
    'in the mode %s, a message to %s waits, and says until when and why',
    async ([mode, , given, at, why]) => {
      const writer = await writerIn(mode);
      const { body } = await write(writer, (await idahoan(writer, given)).id);
      expect(body).toMatchObject({ status: 'queued', heldReason: 'outside_window', warning: null });
      expect(inChicago(body.heldUntil)).toBe(at);
      expect(body.heldDetail.startsWith(window)).toBe(true);
      if (why) expect(body.heldDetail).toMatch(why);
      else expect(body.heldDetail).not.toContain('Idaho');
      const read = await writer.client.get(`/v1/messages/${body.id}`);
      expect(read.body).toMatchObject({ heldUntil: body.heldUntil, heldDetail: body.heldDetail });
    },
  );

  it('one for half past eight leaves then, unless it is quiet there until nine', async () => {
    const sendAt = new Date(api.clock.now().getTime() + 3_600_000).toISOString();
    for (const [mode, at, reason] of [
      ['organization', '08:30', null],
      ['recipient', '09:00', 'outside_window'],
    ] as const) {
      const writer = await writerIn(mode);
      const { body } = await write(writer, (await idahoan(writer, { postalCode: '83702' })).id, { sendAt });
      expect(body).toMatchObject({ status: 'scheduled', sendAt, heldReason: reason });
      expect(inChicago(body.heldUntil)).toBe(at);
    }
  });

  it('a reply leaves at once in both modes, with a warning of the quiet hours there', async () => {
    for (const mode of ['organization', 'recipient'] as const) {
      const writer = await writerIn(mode);
      const contact = await idahoan(writer, { postalCode: '83702' });
      await api.hearFrom(writer, contact);
      const { body } = await write(writer, contact.id);
      expect(body).toMatchObject({ heldUntil: null, heldReason: null });
      expect(body.warning).toMatch(/^It is 06:30 in Idaho \(America\/Boise\); messages may be sent there from 08:00/);
    }
  });

  it('an opt-in request waits like any other message', async () => {
    const writer = await writerIn('recipient');
    const made = await writer.office.post('/v1/contacts', { mobile: `+1208${(nextNumber += 1)}`, postalCode: '83702' });
    expect((await writer.client.post('/v1/opt-in-requests', { contactId: made.body.id })).status).toBe(202);
    const [message] = (await writer.client.get(`/v1/messages?contactId=${made.body.id}`)).body.items;
    expect(message).toMatchObject({ source: 'opt_in', heldReason: 'outside_window' });
    expect(inChicago(message.heldUntil)).toBe('09:00');
  });

  it('released, it leaves at once in the one mode, and in the other not before the law allows', async () => {
    const [loose, strict] = [await writerIn('organization'), await writerIn('recipient')];
    const release = async (writer: Writer) => {
      const { body } = await write(writer, (await idahoan(writer, { postalCode: '83702' })).id);
      return writer.client.post(`/v1/messages/${body.id}/release`);
    };
    expect(await release(loose)).toMatchObject({ status: 200, body: { heldUntil: null } });
    const refusal = await release(strict);
    expect(refusal).toMatchObject({ status: 422, body: { reason: 'quiet_hours' } });
    expect(inChicago(refusal.body.until)).toBe('09:00');
  });
});
