/** The rules of opt-in requests: how often, for how long, and what counts as a YES. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerIn, isYes } from '../../../domain/consent/answers.ts';
import { expiryOf, refusalOfRequest } from '../../../domain/consent/requests.ts';

const hourMs = 3_600_000;
const at = (hours: number) => new Date(Date.parse('2026-12-01T15:00:00Z') + hours * hourMs);

describe('a YES', () => {
  it.for(['yes', 'YES', ' Yes. ', 'y', 'Y!', 'Oui', '«oui»', 'START', 'Yes 👍', 'yes\n'])('is %j', (body) => {
    expect(isYes(body)).toBe(true);
  });

  it.for(['yes please', 'ok yes', 'yes, but call me', 'no', 'yesterday', 'yy', 'si', 'ok', '', '👍', 'y e s'])(
    'is not %j',
    (body) => {
      expect(isYes(body)).toBe(false);
    },
  );

  it('is also what Twilio takes for START, and nothing is that Twilio takes for STOP or HELP', () => {
    expect(answerIn('commencer', 'start')).toBe('yes');
    expect(answerIn('Yes', null)).toBe('yes');
    expect(answerIn('yes', 'stop')).toBe('stop');
    expect(answerIn('yes', 'help')).toBeNull();
    expect(answerIn('Is it remote?', null)).toBeNull();
  });
});

describe('a request', () => {
  it('may be made when none was, and 12 hours after the one before, not a millisecond earlier', () => {
    expect(refusalOfRequest([], at(0))).toBeNull();
    const almost = new Date(at(12).getTime() - 1);
    expect(refusalOfRequest([at(0)], almost)).toEqual({ reason: 'too_soon', possibleAt: at(12) });
    expect(refusalOfRequest([at(0)], at(12))).toBeNull();
  });

  it('is counted from the latest, in whatever order the others are listed', () => {
    expect(refusalOfRequest([at(14), at(0)], at(20))).toEqual({ reason: 'too_soon', possibleAt: at(26) });
  });

  it('may be made three times, and then never', () => {
    expect(refusalOfRequest([at(0), at(12), at(24)], at(25))).toEqual({ reason: 'limit_reached' });
    expect(refusalOfRequest([at(0), at(12), at(24)], at(100_000))).toEqual({ reason: 'limit_reached' });
  });

  it('is never refused at the moment a refusal names', () => {
    const hours = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 2 });
    const holds = fc.check(
      fc.property(hours, fc.integer({ min: 0, max: 200 }), (before, now) => {
        const requestedAt = before.map(at);
        const refusal = refusalOfRequest(requestedAt, at(now));
        return !refusal || refusalOfRequest(requestedAt, refusal.possibleAt!) === null;
      }),
    );
    expect(holds).toMatchObject({ failed: false });
  });

  it('stands for seven days', () => {
    expect(expiryOf(at(0))).toEqual(at(7 * 24));
  });
});
