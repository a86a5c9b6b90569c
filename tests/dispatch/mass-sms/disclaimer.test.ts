/** The first message to a number says how to opt out (C3), also when it is one of a mass SMS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { countSegments } from '../../../domain/messages/segments.ts';
import { defaultSettings, type SettingsOverrides } from '../../../domain/settings.ts';
import { settleAfterMs } from '../../../activities/dispatch/settle.ts';
import { accepted, type BatchesFixture, openBatchesFixture, type Person } from './fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const disclaimer = 'Msg & data rates may apply. Reply HELP for help, STOP to opt out.';
const allDay: SettingsOverrides = {
  sendWindow: { ...defaultSettings.sendWindow, startTime: '00:00', endTime: '00:00' },
  disclaimer,
};
const silent = 'We are hiring.';
const somebody: Person = {};

let nextNumber = 5_000_000;
const number = () => `+1312${(nextNumber += 1)}`;
const sentBodies = () => fixture.twilio.sent.map(({ body }) => body);

describe('the first message to a number', () => {
  it('carries the disclaimer unless it says STOP, and is kept, counted and sent as it reads then', async () => {
    const acme = await fixture.sender(allDay);
    const long = `${silent} ${'x'.repeat(100)}`;
    const massSms = await fixture.massSmsTo(acme, [somebody, somebody], { body: long });
    expect((await fixture.run(massSms)).status).toBe('completed');
    const body = `${long} ${disclaimer}`;
    expect(sentBodies()).toEqual([body, body]);
    const { segments } = countSegments(body);
    expect(segments).toBe(2);
    expect(await fixture.messages(massSms)).toMatchObject([
      { body, segments },
      { body, segments },
    ]);
  });

  it('is left as it was written when it says STOP', async () => {
    const acme = await fixture.sender(allDay);
    const body = 'We are hiring. Text STOP to end.';
    const massSms = await fixture.massSmsTo(acme, [somebody], { body });
    await fixture.run(massSms);
    expect(sentBodies()).toEqual([body]);
    expect(await fixture.messages(massSms)).toMatchObject([{ body, segments: 1 }]);
  });

  it('is in the name of the organization, and of the user who created the mass SMS', async () => {
    const acme = await fixture.sender({ ...allDay, disclaimer: '{{user.name}}, {{organization.name}}: STOP to end.' });
    const { system } = fixture.database;
    const { name } = await system
      .selectFrom('organizations')
      .select('name')
      .where('id', '=', acme.id)
      .executeTakeFirstOrThrow();
    const at = fixture.clock.now();
    const id = newId('user', at);
    const fields = { name: 'Ann', email: `${id}@acme.example`, permissions: [] };
    await system
      .insertInto('users')
      .values({ id, organization_id: acme.id, ...fields, created_at: at, updated_at: at })
      .execute();
    const byUser = await fixture.massSmsTo(acme, [somebody], { body: silent, createdBy: `user:${id}` });
    await fixture.run(byUser);
    const byKey = await fixture.massSmsTo(acme, [somebody], { body: silent, createdBy: 'organization:key_1' });
    await fixture.run(byKey);
    expect(sentBodies()).toEqual([`${silent} Ann, ${name}: STOP to end.`, `${silent} ${name}, ${name}: STOP to end.`]);
  });

  it('is judged when it leaves: who has had one before gets the next as it was written', async () => {
    const acme = await fixture.sender(allDay);
    const [known, unknown] = [number(), number()];
    const first = await fixture.massSmsTo(acme, [{ mobile: known }], { body: silent });
    const second = await fixture.massSmsTo(acme, [{ mobile: known }, { mobile: unknown }], { body: silent });
    await fixture.run(first);
    await fixture.run(second);
    expect(sentBodies()).toEqual([`${silent} ${disclaimer}`, silent, `${silent} ${disclaimer}`]);
  });

  it('that has no room for it any more does not leave: the setting is longer than when it was written', async () => {
    const acme = await fixture.sender(allDay);
    const body = 'x'.repeat(1_500);
    const massSms = await fixture.massSmsTo(acme, [somebody], { body });
    await fixture.setSettings(acme, { ...allDay, disclaimer: `${disclaimer} ${'Ask us. '.repeat(10)}` });
    await fixture.run(massSms);
    expect(sentBodies()).toEqual([]);
    expect(await fixture.messages(massSms)).toMatchObject([
      { status: 'cancelled', cancel_reason: 'no_room_for_disclaimer', body },
    ]);
  });

  it('is the next one when the one before failed, and nothing of another organization counts', async () => {
    const acme = await fixture.sender(allDay);
    const mobile = number();
    fixture.twilio.answer = async () => ({ kind: 'refused', code: 30_008, detail: 'unknown' });
    await fixture.run(await fixture.massSmsTo(acme, [{ mobile }], { body: silent }));
    fixture.twilio.answer = async () => accepted();
    await fixture.run(await fixture.massSmsTo(acme, [{ mobile }], { body: silent }));
    expect(sentBodies()).toEqual([`${silent} ${disclaimer}`, `${silent} ${disclaimer}`]);
    const other = await fixture.sender(allDay);
    await fixture.run(await fixture.massSmsTo(other, [{ mobile }], { body: silent }));
    expect(sentBodies()).toEqual([`${silent} ${disclaimer}`]);
  });
});

describe('a message that carries it', () => {
  it('carries it once, however often it is given back', async () => {
    const acme = await fixture.sender(allDay);
    const massSms = await fixture.massSmsTo(acme, [somebody, somebody], { body: silent });
    fixture.twilio.answer = async () =>
      fixture.twilio.sent.length <= 4 ? { kind: 'later', detail: 'busy' } : accepted();
    expect((await fixture.run(massSms)).status).toBe('completed');
    expect(sentBodies().length).toBeGreaterThan(4);
    expect(new Set(sentBodies())).toEqual(new Set([`${silent} ${disclaimer}`]));
  });

  it('is found again at Twilio when its answer was lost', async () => {
    const acme = await fixture.sender(allDay);
    const massSms = await fixture.massSmsTo(acme, [somebody], { body: silent });
    fixture.twilio.answer = async () => ({ kind: 'unknown', detail: 'no answer' });
    await fixture.run(massSms);
    expect(await fixture.messages(massSms)).toMatchObject([{ status: 'in_doubt' }]);
    const { body } = fixture.twilio.sent[0]!;
    fixture.twilio.found = async () => [{ sid: 'SMfound', body, status: 'delivered', errorCode: null, segments: 1 }];
    fixture.clock.set(new Date(fixture.clock.now().getTime() + settleAfterMs));
    expect((await fixture.run(massSms)).status).toBe('completed');
    expect(await fixture.messages(massSms)).toMatchObject([
      { status: 'delivered', twilio_sid: 'SMfound', attempts: 1 },
    ]);
    fixture.twilio.found = async () => [];
  });
});
