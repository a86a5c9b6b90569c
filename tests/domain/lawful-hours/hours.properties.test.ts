/** Whatever the recipient, the window and the night: compared with a judgement minute by minute that shares no code. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closingAfter, holdReason, lawfulAt, lawfulSpans, nextSendable } from '../../../domain/lawful-hours/hours.ts';
import { placesKey, placesOf } from '../../../domain/lawful-hours/places.ts';
import { heldBecause, quietHoursWarning } from '../../../domain/lawful-hours/sentences.ts';
import { lawful, sendable, windowOpen } from './oracle.ts';
import { instant, places, recipient, window } from './recipients.ts';

const minute = 60_000;
const day = 1_440 * minute;

describe('the next sendable instant', () => {
  it('is lawful and within the window, and no minute before it is', () => {
    let [waited, immediate, never] = [0, 0, 0];
    fc.assert(
      fc.property(window, places, instant, (its, where, from) => {
        const ok = (at: number): boolean => (its === null || windowOpen(its, at)) && sendable(where, at);
        const next = nextSendable({ window: its, places: where, from });
        if (next) expect(ok(next.at.getTime()), next.at.toISOString()).toBe(true);
        // Never is a year, of which every day of the week is looked at, less closely.
        const end = next ? next.at.getTime() : from.getTime() + 8 * day;
        const step = next ? minute : 5 * minute;
        expect(end).toBeGreaterThanOrEqual(from.getTime());
        for (let at = from.getTime(); at < end; at = Math.floor(at / minute) * minute + step)
          if (ok(at)) expect.fail(`${new Date(at).toISOString()} is earlier than ${next?.at.toISOString()}`);
        if (!next) never += 1;
        else if (next.at.getTime() > from.getTime()) waited += 1;
        else immediate += 1;
      }),
      { numRuns: 400 },
    );
    expect(Math.min(waited, immediate, never)).toBeGreaterThan(10);
  });

  it('is part of an opening that ends when it says, and that closingAfter says the same of', () => {
    fc.assert(
      fc.property(window, places, instant, (its, where, from) => {
        const next = nextSendable({ window: its, places: where, from });
        if (!next) return;
        const ok = (at: number): boolean => (its === null || windowOpen(its, at)) && lawful(where, at);
        const end = next.closesAt.getTime();
        expect(end).toBeGreaterThan(next.at.getTime());
        for (let at = next.at.getTime(); at < end; at = Math.floor(at / minute) * minute + minute)
          if (!ok(at)) expect.fail(`${new Date(at).toISOString()} is closed, before ${next.closesAt.toISOString()}`);
        expect(ok(end)).toBe(false);
        expect(closingAfter(its, where, new Date((next.at.getTime() + end) / 2))).toEqual(next.closesAt);
        expect(closingAfter(its, where, next.closesAt)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it('stays the same for everyone who asks before it, and has a reason exactly when it is later', () => {
    fc.assert(
      fc.property(window, places, instant, fc.double({ min: 0, max: 1, noNaN: true }), (its, where, from, share) => {
        const next = nextSendable({ window: its, places: where, from });
        const reason = holdReason({ window: its, places: where, from });
        const expected = its && !windowOpen(its, from.getTime()) ? 'outside_window' : 'quiet_hours';
        if (next?.at.getTime() === from.getTime()) expect([next.reason, reason]).toEqual([null, null]);
        else expect([next ? next.reason : reason, reason]).toEqual([expected, expected]);
        if (!next) return;
        const between = new Date(Math.floor(from.getTime() + share * (next.at.getTime() - from.getTime())));
        expect(nextSendable({ window: its, places: where, from: between })?.at).toEqual(next.at);
      }),
      { numRuns: 400 },
    );
  });
});

describe('lawful hours', () => {
  it('are what every clock and every rule allow', () => {
    fc.assert(
      fc.property(places, instant, (where, at) => {
        expect(lawfulAt(where, at)).toBe(lawful(where, at.getTime()));
        expect(lawfulAt(where, at, 15)).toBe(sendable(where, at.getTime()));
      }),
      { numRuns: 4_000 },
    );
  });

  it('as spans, are all the lawful minutes of a few days and no others', () => {
    fc.assert(
      fc.property(places, instant, fc.integer({ min: 1, max: 4_320 }), (where, from, minutes) => {
        const until = new Date(from.getTime() + minutes * minute);
        const spans = lawfulSpans(where, from, until);
        const wrong: string[] = [];
        for (let at = from.getTime(); at < until.getTime(); at += 7 * minute) {
          const within = spans.some((span) => span.from.getTime() <= at && at < span.until.getTime());
          if (within !== lawful(where, at)) wrong.push(new Date(at).toISOString());
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('the sentences', () => {
  it('say something exactly when something holds', () => {
    fc.assert(
      fc.property(window, places, instant, (its, where, from) => {
        const question = { window: its, places: where, from };
        const sentence = heldBecause(question);
        if (holdReason(question) === null) expect(sentence).toBeNull();
        else expect(sentence).toMatch(/^(It is|The sending window is open) .+\.$/);
        expect(quietHoursWarning(where, from) === null).toBe(lawful(where, from.getTime()));
        expect(`${sentence} ${quietHoursWarning(where, from)}`).not.toMatch(/undefined|NaN|Invalid|Etc\//);
      }),
      { numRuns: 1_500 },
    );
  });
});

describe('places', () => {
  it('are never none, each once, and have a key that depends on nothing else', () => {
    fc.assert(
      fc.property(recipient, instant, (who, at) => {
        const where = placesOf(who);
        expect(where.length).toBeGreaterThan(0);
        expect(new Set(where.map((place) => JSON.stringify(place))).size).toBe(where.length);
        const turned = where.toReversed();
        expect(placesKey(turned)).toBe(placesKey(where));
        expect(nextSendable({ window: null, places: turned, from: at })).toEqual(
          nextSendable({ window: null, places: where, from: at }),
        );
      }),
      { numRuns: 1_500 },
    );
  });
});
