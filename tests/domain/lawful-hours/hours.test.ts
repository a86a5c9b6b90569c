/** When messages leave, at places and on nights where it is easy to be wrong. */
import { describe, expect, it } from 'vitest';
import { areas } from '../../../domain/numbers/area-codes-data.ts';
import { closingAfter, lawfulAt, lawfulSpans, nextSendable } from '../../../domain/lawful-hours/hours.ts';
import { placesKey, placesOf, type Place, type Recipient } from '../../../domain/lawful-hours/places.ts';
import type { SendWindow } from '../../../domain/send-window.ts';
import { defaultSettings } from '../../../domain/settings.ts';
import { cpuMsOf } from '../../harness/cpu-time.ts';

const who = (areaCode: string | null, other: Partial<Recipient> = {}): readonly Place[] =>
  placesOf({ mobile: areaCode && `+1${areaCode}5550123`, postalCode: null, timeZone: null, ...other });
/** 08:00 to 16:00 in Chicago. */
const office = defaultSettings.sendWindow;
const next = (places: readonly Place[], from: string, window: SendWindow | null = null) =>
  nextSendable({ window, places, from: new Date(from) });
const at = (places: readonly Place[], from: string, window: SendWindow | null = null) =>
  next(places, from, window)?.at.toISOString();
/** The lawful hours that begin on a day, both in UTC. */
const hours = (places: readonly Place[], date: string): string =>
  lawfulSpans(places, new Date(`${date}T05:00:00Z`), new Date(Date.parse(`${date}T05:00:00Z`) + 2 * 86_400_000))
    .filter(({ from }) => from.toISOString().startsWith(date))
    .map(({ from, until }) => `${from.toISOString().slice(11, 16)}-${until.toISOString().slice(11, 16)}`)
    .join(' ');

describe('a contact in Boise of a company in Chicago', () => {
  it('is written to when it is 8 in Idaho, not when it is 8 in Chicago', () => {
    // The number may also be of the north of Idaho, an hour further west.
    expect(next(who('208'), '2026-11-23T14:00:00Z', office)).toEqual({
      at: new Date('2026-11-23T16:00:00Z'),
      closesAt: new Date('2026-11-23T22:00:00Z'),
      reason: 'quiet_hours',
    });
    expect(at(who('208', { postalCode: '83702' }), '2026-11-23T14:00:00Z', office)).toBe('2026-11-23T15:00:00.000Z');
    expect(at(who('208', { postalCode: '83501' }), '2026-11-23T14:00:00Z', office)).toBe('2026-11-23T16:00:00.000Z');
  });

  it('is held by the window first, and released when both allow it', () => {
    expect(next(who('208'), '2026-11-22T23:00:00Z', office)).toMatchObject({
      at: new Date('2026-11-23T16:00:00Z'),
      reason: 'outside_window',
    });
    expect(next(who('208'), '2026-11-23T18:30:00.250Z', office)).toEqual({
      at: new Date('2026-11-23T18:30:00.250Z'),
      closesAt: new Date('2026-11-23T22:00:00Z'),
      reason: null,
    });
  });
});

describe('on the nights of a clock change', () => {
  it.for([
    // Saturday night at ten: 8 in the morning is eleven hours away in autumn, nine in spring.
    ['212', '2026-11-01T02:00:00Z', '2026-11-01T13:00:00.000Z', '2026-11-01T14:00:00.000Z'],
    ['212', '2027-03-14T03:00:00Z', '2027-03-14T12:00:00.000Z', '2027-03-14T13:00:00.000Z'],
    ['213', '2026-11-01T05:00:00Z', '2026-11-01T17:00:00.000Z', '2026-11-01T17:00:00.000Z'],
    ['213', '2027-03-14T06:00:00Z', '2027-03-14T16:00:00.000Z', '2027-03-14T16:00:00.000Z'],
    // Without changes of their own.
    ['602', '2026-11-01T05:00:00Z', '2026-11-01T15:00:00.000Z', '2026-11-01T15:00:00.000Z'],
    ['808', '2027-03-14T08:00:00Z', '2027-03-14T18:00:00.000Z', '2027-03-14T18:00:00.000Z'],
  ] as const)('%s, asked at %s', ([code, from, alone, inWindow]) => {
    expect(at(who(code), from)).toBe(alone);
    expect(at(who(code), from, office)).toBe(inWindow);
  });

  it('an Arizona number may be of the Navajo Nation, which changes its clocks', () => {
    expect(hours(who('928'), '2027-03-13')).toBe('15:00-04:00');
    expect(hours(who('928'), '2027-03-15')).toBe('15:00-03:00');
    expect(hours(who('928', { postalCode: '86001' }), '2027-03-15')).toBe('15:00-03:00');
    expect(hours(who('602'), '2027-03-15')).toBe('15:00-04:00');
  });
});

describe('several zones or states', () => {
  it('are all respected: 850 is in Tallahassee and in Pensacola', () => {
    expect(hours(who('850'), '2026-11-23')).toBe('14:00-01:00');
    expect(hours(who('448'), '2026-11-23')).toBe('14:00-01:00');
    expect(hours(who('850', { postalCode: '32301' }), '2026-11-23')).toBe('13:00-01:00');
    expect(hours(who('850', { postalCode: '32501' }), '2026-11-23')).toBe('14:00-02:00');
  });

  it('a postal code that disagrees with the number adds its rule, and does not replace the other', () => {
    const moved = who('208', { postalCode: '33101' });
    expect(placesKey(moved)).toBe('US-FL@America/New_York US-ID@America/Boise US-ID@America/Los_Angeles');
    expect(hours(moved, '2026-11-23')).toBe('16:00-01:00');
  });

  it('a stated zone says which it is of those of the number', () => {
    expect(hours(who('208'), '2026-11-23')).toBe('16:00-04:00');
    expect(hours(who('208', { timeZone: 'America/Boise' }), '2026-11-23')).toBe('15:00-04:00');
  });

  it('a stated zone that disagrees with the number adds its clock, and does not replace the other', () => {
    expect(hours(who('214'), '2026-11-23')).toBe('15:00-03:00');
    expect(hours(who('214', { timeZone: 'America/New_York' }), '2026-11-23')).toBe('15:00-01:00');
    expect(hours(who('415', { timeZone: 'America/New_York' }), '2026-11-23')).toBe('17:00-01:00');
  });

  it('a number without a place is one of the mainland: 11 to 20 Eastern', () => {
    for (const code of ['800', '888', '500', '232', null])
      expect(hours(who(code), '2026-11-23'), String(code)).toBe('16:00-01:00');
    expect(hours(who('888'), '2026-11-22')).toBe('16:00-01:00');
    expect(hours(who('888', { postalCode: '60601' }), '2026-11-22')).toBe('15:00-03:00');
    expect(hours(who('888', { timeZone: 'America/Denver' }), '2026-11-22')).toBe('15:00-03:00');
  });

  it('may leave little: New York and Guam are 15 hours apart', () => {
    const far = who('671', { postalCode: '10001' });
    expect(lawfulAt(far, new Date('2026-11-23T22:30:00Z'))).toBe(true);
    expect(hours(far, '2026-11-23')).toBe('22:00-02:00');
  });
});

describe('the rules of states', () => {
  it('Texas: from 9, on Sundays from noon; El Paso an hour later', () => {
    expect(at(who('214'), '2026-11-22T14:00:00Z')).toBe('2026-11-22T18:00:00.000Z');
    expect(at(who('915'), '2026-11-22T14:00:00Z')).toBe('2026-11-22T19:00:00.000Z');
    expect(at(who('214'), '2026-11-23T12:00:00Z')).toBe('2026-11-23T15:00:00.000Z');
  });

  it('Pennsylvania: neither on Sundays, since that was forbidden, nor on holidays', () => {
    expect(hours(who('215'), '2026-10-11')).toBe('12:00-01:00');
    expect(hours(who('215'), '2026-10-18')).toBe('');
    expect(hours(who('215'), '2026-11-23')).toBe('14:00-00:00');
    // From Wednesday evening before Thanksgiving to Friday morning.
    expect(at(who('215'), '2026-11-26T00:00:00Z')).toBe('2026-11-27T14:00:00.000Z');
    // Christmas 2027 is a Saturday and kept on Friday; Sunday follows.
    expect(at(who('215'), '2027-12-24T13:00:00Z')).toBe('2027-12-27T14:00:00.000Z');
  });

  it('Mississippi: Central hours, whatever clock the recipient has', () => {
    expect(hours(who('601'), '2026-11-23')).toBe('14:00-02:00');
    expect(hours(who('601', { timeZone: 'America/Los_Angeles' }), '2026-11-23')).toBe('16:00-02:00');
    expect(hours(who('601'), '2026-11-22')).toBe('');
  });

  it('Rhode Island: short Saturdays', () => {
    expect(hours(who('401'), '2026-11-21')).toBe('15:00-22:00');
    expect(hours(who('401'), '2026-11-23')).toBe('14:00-23:00');
  });
});

describe('Canada', () => {
  it('9 to 21:30, at weekends 10 to 18', () => {
    expect(hours(who('416'), '2026-11-23')).toBe('14:00-02:30');
    expect(hours(who('416'), '2026-11-21')).toBe('15:00-23:00');
    expect(hours(who('709'), '2026-11-23')).toBe('13:00-01:00');
  });

  it('has ended its clock changes in the west', () => {
    expect(hours(who('604'), '2026-12-01')).toBe('16:00-04:30');
    expect(hours(who('403'), '2026-12-01')).toBe('15:00-03:30');
    expect(hours(who(null, { timeZone: 'America/Inuvik' }), '2026-12-01')).toBe('15:00-03:30');
  });

  it('may have in Manitoba: both clocks are respected from November 2026 on', () => {
    expect(hours(who('204'), '2026-10-26')).toBe('14:00-02:30');
    // The day itself, a Sunday: 10 on the one clock, 18 on the other.
    expect(hours(who('204'), '2026-11-01')).toBe('16:00-23:00');
    expect(hours(who('204'), '2026-11-23')).toBe('15:00-02:30');
    expect(hours(who('204'), '2027-07-05')).toBe('14:00-02:30');
    expect(hours(who(null, { timeZone: 'Canada/Central' }), '2026-11-23')).toBe('15:00-02:30');
  });
});

describe('the margin', () => {
  it('stops sending a quarter of an hour before quiet hours begin, not before the window closes', () => {
    const boise = who('208', { postalCode: '83702' });
    expect(at(boise, '2026-11-24T03:44:59.999Z')).toBe('2026-11-24T03:44:59.999Z');
    expect(at(boise, '2026-11-24T03:45:00Z')).toBe('2026-11-24T15:00:00.000Z');
    expect(at(boise, '2026-11-23T21:59:59.999Z', office)).toBe('2026-11-23T21:59:59.999Z');
    const question = { window: null, places: boise, from: new Date('2026-11-24T03:59:59Z') };
    expect(nextSendable({ ...question, marginMinutes: 0 })?.at).toEqual(question.from);
    expect(nextSendable({ ...question, marginMinutes: 30 })?.reason).toBe('quiet_hours');
  });

  it('does not shorten the time in which a message may be delivered', () => {
    const boise = who('208', { postalCode: '83702' });
    expect(next(boise, '2026-11-24T03:44:00Z')?.closesAt).toEqual(new Date('2026-11-24T04:00:00Z'));
    expect(closingAfter(null, boise, new Date('2026-11-24T03:59:59Z'))).toEqual(new Date('2026-11-24T04:00:00Z'));
    expect(closingAfter(null, boise, new Date('2026-11-24T04:00:00Z'))).toBeNull();
    expect(closingAfter(office, boise, new Date('2026-11-23T21:00:00Z'))).toEqual(new Date('2026-11-23T22:00:00Z'));
    expect(closingAfter(office, boise, new Date('2026-11-23T14:30:00Z'))).toBeNull();
  });
});

describe('windows', () => {
  const always: SendWindow = { ...office, startTime: '00:00', endTime: '00:00', timeZone: 'Asia/Tokyo' };

  it('of whole days leave the lawful hours whole, though midnight falls into them', () => {
    expect(next(who('212'), '2026-11-23T14:00:00Z', always)).toEqual({
      at: new Date('2026-11-23T14:00:00Z'),
      closesAt: new Date('2026-11-24T02:00:00Z'),
      reason: null,
    });
    expect(next(who('212'), '2026-11-23T14:00:00Z', { ...always, days: ['mon'] })?.closesAt).toEqual(
      new Date('2026-11-23T15:00:00Z'),
    );
  });

  it('never open where they and the rules exclude each other', () => {
    expect(next(who('215'), '2026-11-23T14:00:00Z', { ...office, days: ['sun'] })).toBeNull();
    expect(next(who('212'), '2026-11-23T14:00:00Z', { ...office, startTime: '22:00', endTime: '23:00' })).toBeNull();
    // Open only while nothing is sent any more: the margin.
    const lastMinutes = { ...office, timeZone: 'America/New_York', startTime: '20:50', endTime: '21:00' };
    expect(next(who('212'), '2026-11-23T14:00:00Z', lastMinutes)).toBeNull();
  });
});

describe('a batch of 25,000', () => {
  it('is reckoned in well under a second', () => {
    const codes = areas.flatMap(([its]) => its.split(' '));
    const postalCodes = [null, null, null, '83702', '10001', '60601', '94105', '75201'];
    const keys = new Set<string>();
    let answered = 0;
    const took = cpuMsOf(() => {
      for (let index = 0; index < 25_000; index += 1) {
        const kind = index % 320;
        const places = who(codes[kind]!, { postalCode: postalCodes[kind % postalCodes.length]! });
        keys.add(placesKey(places));
        const from = new Date(Date.UTC(2026, 10, 22, 3) + index * 10);
        if (nextSendable({ window: office, places, from })) answered += 1;
      }
    });
    expect(answered).toBe(25_000);
    expect(keys.size).toBeGreaterThan(150);
    // Measured alone: 0.2 s.
    expect(took).toBeLessThan(3_000);
  });
});
