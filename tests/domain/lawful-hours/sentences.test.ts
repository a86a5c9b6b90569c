/** What people read while a message waits. */
import { describe, expect, it } from 'vitest';
import { placesOf, type Place, type Recipient } from '../../../domain/lawful-hours/places.ts';
import { heldBecause, quietHoursWarning } from '../../../domain/lawful-hours/sentences.ts';
import type { SendWindow } from '../../../domain/send-window.ts';
import { defaultSettings } from '../../../domain/settings.ts';

const who = (areaCode: string, other: Partial<Recipient> = {}): readonly Place[] =>
  placesOf({ mobile: `+1${areaCode}5550123`, postalCode: null, timeZone: null, ...other });
const office = defaultSettings.sendWindow;
const held = (places: readonly Place[], from: string, window: SendWindow | null = office) =>
  heldBecause({ window, places, from: new Date(from) });

describe('what holds a message', () => {
  it('is the law, with the times that it may be there', () => {
    expect(held(who('208'), '2026-11-23T14:12:00Z')).toBe(
      'It is 07:12 or 06:12 in Idaho (America/Boise or America/Los_Angeles); messages may be sent there from 08:00 to 21:00.',
    );
    expect(held(who('208', { postalCode: '83702' }), '2026-11-23T14:12:00Z')).toBe(
      'It is 07:12 in Idaho (America/Boise); messages may be sent there from 08:00 to 21:00.',
    );
  });

  it('is the window first, and the law where it still holds when the window opens', () => {
    expect(held(who('212'), '2026-11-23T12:00:00Z')).toBe(
      'The sending window is open from 08:00 to 16:00 (America/Chicago) every day.',
    );
    expect(held(who('208', { postalCode: '83702' }), '2026-11-23T03:00:00Z')).toBe(
      'The sending window is open from 08:00 to 16:00 (America/Chicago) every day. When it opens next, it is 07:00 in Idaho (America/Boise); messages may be sent there from 08:00 to 21:00.',
    );
    expect(held(who('212'), '2026-11-23T12:00:00Z', { ...office, days: ['tue', 'mon', 'thu'] })).toBe(
      'The sending window is open from 08:00 to 16:00 (America/Chicago) on Mondays, Tuesdays and Thursdays.',
    );
    expect(held(who('212'), '2026-11-23T12:00:00Z', { ...office, endTime: '08:00', days: ['sat'] })).toBe(
      'The sending window is open the whole day (America/Chicago) on Saturdays. When it opens next, it is 01:00 in New York (America/New_York); messages may be sent there from 08:00 to 21:00.',
    );
  });

  it('says midnight for a window until 00:00', () => {
    expect(held(who('212'), '2026-11-23T12:00:00Z', { ...office, endTime: '00:00' })).toBe(
      'The sending window is open from 08:00 to midnight (America/Chicago) every day.',
    );
  });

  it('is the day of the week, or a holiday', () => {
    expect(held(who('214'), '2026-11-22T16:00:00Z')).toBe(
      'It is 10:00 in Texas (America/Chicago); messages may be sent there from 12:00 to 21:00 on Sundays.',
    );
    expect(held(who('215'), '2026-11-22T16:00:00Z')).toBe(
      'It is 11:00 in Pennsylvania (America/New_York); messages may not be sent there on Sundays.',
    );
    expect(held(who('215'), '2026-11-26T16:00:00Z')).toBe(
      'It is 11:00 in Pennsylvania (America/New_York); messages may not be sent there on legal holidays.',
    );
    expect(held(who('416'), '2026-11-23T13:00:00Z', null)).toBe(
      'It is 08:00 in Ontario (America/Toronto); messages may be sent there from 09:00 to 21:30 on weekdays.',
    );
  });

  it('is the margin before quiet hours', () => {
    expect(held(who('212'), '2026-11-24T01:50:00Z', null)).toBe(
      'It is 20:50 in New York (America/New_York); messages may be sent there from 08:00 to 21:00; none leaves in the last 15 minutes.',
    );
  });

  it('is every state that does', () => {
    expect(held(who('312', { postalCode: '06101' }), '2026-11-23T13:30:00Z', null)).toBe(
      'It is 08:30 in Connecticut (America/New_York); messages may be sent there from 09:00 to 20:00. It is 07:30 in Illinois (America/Chicago); messages may be sent there from 09:00 to 21:00.',
    );
    expect(held(who('312', { postalCode: '06101' }), '2026-11-23T14:30:00Z', null)).toBe(
      'It is 08:30 in Illinois (America/Chicago); messages may be sent there from 09:00 to 21:00.',
    );
  });

  it('is nothing while a message may leave', () => {
    expect(held(who('208'), '2026-11-23T18:00:00Z')).toBeNull();
  });
});

describe('where the place is not sure', () => {
  it('says so', () => {
    expect(held(who('800'), '2026-11-24T01:30:00Z', null)).toBe(
      'It is 20:30, 19:30, 18:30 or 17:30 where the recipient may be (America/New_York, America/Chicago, America/Denver or America/Los_Angeles); messages may be sent there from 08:00 to 20:00.',
    );
    expect(held(who('800', { timeZone: 'America/Denver' }), '2026-11-24T05:30:00Z', null)).toBe(
      'It is 22:30 where the recipient is (America/Denver); messages may be sent there from 08:00 to 20:00.',
    );
    expect(held(who('213', { timeZone: 'America/New_York' }), '2026-11-24T03:30:00Z', null)).toBe(
      'It is 22:30 where the recipient may be (America/New_York); messages may be sent there from 08:00 to 20:00.',
    );
    expect(held(who('204'), '2026-11-24T02:45:00Z', null)).toBe(
      'It is 20:45 or 21:45 in Manitoba (America/Winnipeg or UTC-5); messages may be sent there from 09:00 to 21:30 on weekdays.',
    );
  });
});

describe('a warning for direct messages', () => {
  it('is given in quiet hours, and knows no margin', () => {
    expect(quietHoursWarning(who('305'), new Date('2026-11-24T01:30:00Z'))).toBe(
      'It is 20:30 in Florida (America/New_York); messages may be sent there from 08:00 to 20:00.',
    );
    expect(quietHoursWarning(who('305'), new Date('2026-11-24T00:59:59Z'))).toBeNull();
  });
});
