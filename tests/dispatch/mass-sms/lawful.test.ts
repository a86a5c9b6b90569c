/** Batches of an organization that keeps to the lawful hours of each recipient (E3): who leaves when, and what waits. */
import { DateTime } from 'luxon';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { days } from '../../../domain/send-window.ts';
import type { SettingsOverrides } from '../../../domain/settings.ts';
import { accepted, type BatchesFixture, openBatchesFixture, type Person } from './fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
});
afterAll(async () => {
  await fixture?.close();
});

/** Local time of New York; 1 December 2026 is a Tuesday. */
const eastern = (text: string): Date => DateTime.fromISO(text, { zone: 'America/New_York' }).toJSDate();
const windowOf = (startTime: string, endTime: string): SettingsOverrides => ({
  sendWindow: { startTime, endTime, timeZone: 'America/New_York', days },
  sendWindowMode: 'recipient',
});

const newYork: Person = { areaCode: '212' };
/** From 9 to 21 by law. */
const california: Person = { areaCode: '415' };
/** From 8 to 20. */
const florida: Person = { areaCode: '305' };
/** From 10 to 21. */
const kentucky: Person = { areaCode: '502' };
const hawaii: Person = { areaCode: '808' };
const several = (count: number, person: Person): Person[] => Array.from({ length: count }, () => person);

/** Begins a mass SMS at a moment of New York. */
async function begin(
  at: string,
  people: readonly Person[],
  given: Parameters<BatchesFixture['massSmsTo']>[2] & { settings?: SettingsOverrides; rate?: number } = {},
) {
  fixture.clock.set(eastern(at));
  const organization = await fixture.sender(given.settings ?? windowOf('08:00', '20:00'), given.rate);
  return fixture.massSmsTo(organization, people, given);
}
const sentTo = () => fixture.twilio.sent.map(({ to }) => to);
const statuses = async (massSms: Parameters<BatchesFixture['messages']>[0]) =>
  (await fixture.messages(massSms)).map(({ status }) => status);

describe('at nine in New York', () => {
  it('a message leaves there, and waits in California until it is nine there', async () => {
    const massSms = await begin('2026-12-01T09:00', [california, newYork]);
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: eastern('2026-12-01T12:00') });
    expect(sentTo()).toEqual([massSms.to[1]]);
    expect(await fixture.messages(massSms)).toMatchObject([
      { status: 'queued', attempts: 0, attempt_id: null },
      { status: 'accepted', attempts: 1 },
    ]);
    expect(await fixture.batches(massSms)).toEqual(['sending']);
    fixture.clock.set(eastern('2026-12-01T11:59:50'));
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: eastern('2026-12-01T12:00') });
    expect(sentTo()).toHaveLength(1);
    fixture.clock.set(eastern('2026-12-01T12:00'));
    expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
    expect(sentTo()).toEqual([massSms.to[1], massSms.to[0]]);
    expect(await fixture.batches(massSms)).toEqual(['sent']);
  });

  it("both leave where only the organization's window counts", async () => {
    const settings = { ...windowOf('08:00', '20:00'), sendWindowMode: 'organization' } as const;
    const massSms = await begin('2026-12-01T09:00', [california, newYork], { settings });
    expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
    expect(sentTo().toSorted()).toEqual(massSms.to.toSorted());
    expect(fixture.twilio.sent.every(({ validityPeriod }) => validityPeriod > 35_000)).toBe(true);
  });

  it('the postal code and the stated time zone of a contact count as well', async () => {
    const people = [
      // Moved to Los Angeles with their number: both places.
      { ...newYork, postalCode: '90012' },
      // Moved to New York, as they say: both places.
      { ...california, timeZone: 'America/New_York' },
      { ...newYork, postalCode: '10001' },
    ];
    const massSms = await begin('2026-12-01T09:00', people);
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: eastern('2026-12-01T12:00') });
    expect(await statuses(massSms)).toEqual(['queued', 'queued', 'accepted']);
  });

  it('those who may be written to are found behind ten thousand who may not', async () => {
    const settings = { ...windowOf('08:00', '20:00'), firstBatchSize: 20_000 };
    const massSms = await begin('2026-12-01T09:00', [...several(10_200, california), ...several(3, newYork)], {
      settings,
    });
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: eastern('2026-12-01T12:00') });
    expect(sentTo()).toEqual(massSms.to.slice(-3));
    expect((await fixture.messages(massSms)).slice(0, 10_200).every(({ attempts }) => attempts === 0)).toBe(true);
  });

  it('somebody who opts out while it is too early for them gets nothing later', async () => {
    const massSms = await begin('2026-12-01T09:00', [california]);
    await fixture.run(massSms);
    const { system } = fixture.database;
    await system
      .updateTable('contacts')
      .set({ consent_promotional: false })
      .where('mobile', '=', massSms.to[0]!)
      .execute();
    fixture.clock.set(eastern('2026-12-01T12:00'));
    expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
    expect(await fixture.messages(massSms)).toMatchObject([{ status: 'cancelled', cancel_reason: 'no_consent' }]);
  });
});

describe('who can never be written to', () => {
  it('does not wait: the message is cancelled with a reason, and the batch ends', async () => {
    // Hawaii wakes when New York has lunch.
    const massSms = await begin('2026-12-01T09:00', [hawaii, newYork], { settings: windowOf('08:00', '12:00') });
    expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
    expect(sentTo()).toEqual([massSms.to[1]]);
    expect(await fixture.messages(massSms)).toMatchObject([
      { status: 'cancelled', cancel_reason: 'never_lawful', finished_at: expect.any(Date) },
      { status: 'accepted', cancel_reason: null },
    ]);
    expect(await fixture.batches(massSms)).toEqual(['sent']);
  });

  it('is told the reason that comes first when there are several', async () => {
    const massSms = await begin('2026-12-01T09:00', [hawaii], { settings: windowOf('08:00', '12:00') });
    const { system } = fixture.database;
    await system
      .updateTable('contacts')
      .set({ consent_promotional: false })
      .where('mobile', '=', massSms.to[0]!)
      .execute();
    await fixture.run(massSms);
    expect(await fixture.messages(massSms)).toMatchObject([{ status: 'cancelled', cancel_reason: 'no_consent' }]);
  });
});

describe('what waits is looked at again', () => {
  it('when the first of all places opens', async () => {
    const people = [california, hawaii, kentucky, { areaCode: '303' }];
    const massSms = await begin('2026-12-01T08:00', people);
    const openings: string[] = [];
    for (let state = await fixture.run(massSms); state.runAt; state = await fixture.run(massSms)) {
      openings.push(DateTime.fromJSDate(state.runAt, { zone: 'America/New_York' }).toFormat('HH:mm:ss.SSS'));
      fixture.clock.set(state.runAt);
    }
    // Kentucky and Colorado at ten, California at noon, Hawaii at one.
    expect(openings).toEqual(['10:00:00.000', '12:00:00.000', '13:00:00.000']);
    expect(await statuses(massSms)).toEqual(['accepted', 'accepted', 'accepted', 'accepted']);
  });

  it.for([
    ['on the next day', true, '2026-12-05T08:00'],
    ['on Monday where weekends are not allowed', false, '2026-12-07T08:00'],
  ] as const)('%s when it is too late for today', async ([, allowWeekends, expected]) => {
    const massSms = await begin('2026-12-04T20:30', [florida], {
      settings: windowOf('08:00', '22:00'),
      allowWeekends,
    });
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: eastern(expected) });
    expect(sentTo()).toEqual([]);
  });

  it('before a window is reached in whose last moments nothing leaves', async () => {
    const massSms = await begin('2026-12-01T09:00', [california], { settings: windowOf('08:00', '12:30') });
    fixture.clock.set(eastern('2026-12-01T12:29:45'));
    // It is too late to begin the batch; begun, it would have to wait for tomorrow's noon.
    expect((await fixture.run(massSms)).runAt).toEqual(eastern('2026-12-02T08:00'));
    fixture.clock.set(eastern('2026-12-02T08:00'));
    expect((await fixture.run(massSms)).runAt).toEqual(eastern('2026-12-02T12:00'));
    fixture.clock.set(eastern('2026-12-02T12:29:45'));
    expect((await fixture.run(massSms)).runAt).toEqual(eastern('2026-12-03T12:00'));
  });

  it('and the next batch waits until its last recipient was reached', async () => {
    const settings = { ...windowOf('08:00', '20:00'), firstBatchSize: 2, dailyBatchSize: 2 };
    const rhodeIsland = { areaCode: '401' };
    // In Rhode Island Saturdays end at five, and Sundays are free.
    const massSms = await begin('2026-12-05T17:30', [rhodeIsland, newYork, newYork], { settings });
    expect((await fixture.run(massSms)).runAt).toEqual(eastern('2026-12-07T09:00'));
    fixture.clock.set(eastern('2026-12-06T17:30'));
    expect((await fixture.run(massSms)).runAt).toEqual(eastern('2026-12-07T09:00'));
    expect(await statuses(massSms)).toEqual(['queued', 'accepted', 'queued']);
    expect(await fixture.batches(massSms)).toEqual(['sending', 'scheduled']);
    fixture.clock.set(eastern('2026-12-07T09:00'));
    expect((await fixture.run(massSms)).runAt).toEqual(eastern('2026-12-06T17:30'));
    expect(await fixture.batches(massSms)).toEqual(['sent', 'scheduled']);
    expect((await fixture.run(massSms)).status).toBe('completed');
  });

  it('and expires when the window closes, where that was chosen', async () => {
    const massSms = await begin('2026-12-01T20:30', [florida, newYork], {
      settings: windowOf('08:00', '22:00'),
      atWindowClose: 'expire',
    });
    expect(await fixture.run(massSms)).toEqual({ status: 'in_process', runAt: eastern('2026-12-01T21:59:30') });
    // In New York it is lawful until nine.
    expect(sentTo()).toEqual([massSms.to[1]]);
    fixture.clock.set(eastern('2026-12-01T21:59:30'));
    expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
    expect(await fixture.messages(massSms)).toMatchObject([
      { status: 'cancelled', cancel_reason: 'expired' },
      { status: 'accepted' },
    ]);
    expect(await fixture.batches(massSms)).toEqual(['expired']);
  });
});

describe('the end of lawful hours', () => {
  it('is the end of the validity period, where the window ends later', async () => {
    const massSms = await begin('2026-12-01T19:00', [florida, newYork], { settings: windowOf('08:00', '20:30') });
    await fixture.run(massSms);
    const [inFlorida, inNewYork] = massSms.to.map(
      (to) => fixture.twilio.sent.find((message) => message.to === to)!.validityPeriod,
    );
    expect(inFlorida).toBeGreaterThan(3_590);
    expect(inFlorida).toBeLessThanOrEqual(3_600);
    expect(inNewYork).toBeGreaterThan(5_390);
    expect(inNewYork).toBeLessThanOrEqual(5_400);
  });

  it('stops sending a quarter of an hour before, in the middle of a pass too', async () => {
    const people = several(120, florida);
    const massSms = await begin('2026-12-01T19:30', people, { settings: windowOf('08:00', '22:00'), rate: 20 });
    fixture.twilio.answer = async () => {
      if (fixture.twilio.sent.length === 1) fixture.clock.set(eastern('2026-12-01T19:45'));
      return accepted();
    };
    expect((await fixture.run(massSms)).runAt).toEqual(eastern('2026-12-02T08:00'));
    const rows = await fixture.messages(massSms);
    const sent = rows.filter(({ status }) => status === 'accepted');
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThan(70);
    for (const { claimed_at: claimedAt } of sent) expect(claimedAt! < eastern('2026-12-01T19:45')).toBe(true);
    expect(rows.filter(({ status }) => status === 'queued')).toHaveLength(120 - sent.length);
  });
});

describe('in the middle of a pass', () => {
  it('those whose hours begin do not wait until all others have had theirs', async () => {
    const people = [...several(5, california), ...several(120, newYork)];
    const massSms = await begin('2026-12-01T11:50', people, { rate: 20 });
    fixture.twilio.answer = async () => {
      if (fixture.twilio.sent.length === 1) fixture.clock.set(eastern('2026-12-01T12:00'));
      return accepted();
    };
    expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
    expect(sentTo().toSorted()).toEqual(massSms.to.toSorted());
    const inCalifornia = sentTo().flatMap((to, place) => (to.startsWith('+1415') ? [place] : []));
    expect(inCalifornia).toHaveLength(5);
    // No more went before them than what had been claimed already: two chunks of a second and a half.
    expect(Math.max(...inCalifornia)).toBeLessThan(70);
  });

  it.for([
    ['another mode', windowOf('08:00', '20:00'), '2026-12-01T12:00'],
    ['another window', { ...windowOf('07:00', '08:30'), sendWindowMode: 'organization' }, '2026-12-02T07:00'],
  ] as const)('%s holds from the next claim on', async ([, changed, expected]) => {
    const settings = { ...windowOf('08:00', '20:00'), sendWindowMode: 'organization' } as const;
    const massSms = await begin('2026-12-01T09:00', several(120, california), { settings, rate: 20 });
    fixture.twilio.answer = async () => {
      if (fixture.twilio.sent.length === 1) await fixture.setSettings(massSms.organization, changed);
      return accepted();
    };
    expect((await fixture.run(massSms)).runAt).toEqual(eastern(expected));
    const sent = sentTo().length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(70);
  });
});
