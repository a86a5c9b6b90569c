/** What a person is told of a suspension (F6). */
import { expect, it } from 'vitest';
import { dropsOf, suspensionInWords } from '../../../domain/mass-sms/drop-report.ts';

const areas = [
  { areaCode: '212', attempted: 600, dropped: 12 },
  { areaCode: '305', attempted: 200, dropped: 120 },
  { areaCode: '808', attempted: 4, dropped: 4 },
];

it('names codes, the carriers that codes name, and the area codes where most is dropped', () => {
  const drops = dropsOf(
    [
      { code: 30_007, count: 100 },
      { code: 30_023, count: 30 },
      { code: null, count: 6 },
    ],
    areas,
  );
  expect(drops).toMatchObject({
    attempted: 804,
    dropped: 136,
    carriers: ['T-Mobile'],
    // Of four messages to Hawaii a share says nothing.
    areaCodes: [{ areaCode: '305', attempted: 200, dropped: 120 }],
    codes: [
      { code: 30_007, counted: true },
      { code: 30_023, counted: true },
      { code: null, counted: true },
    ],
  });
  expect(suspensionInWords({ rule: 'filtered', attempted: 800, counted: 100 }, drops)).toBe(
    "100 of 800 messages (12.5 %) were stopped by carriers' filters. Most often (100): 30007. The carrier filtered it: " +
      'the text looked like spam to it. Do not repeat it as it is. Carriers that are named: T-Mobile. Worst to: 305. ' +
      'To send the rest as it is, resume with acknowledge: true; otherwise cancel, and correct the text or the list.',
  );
});

it('tells of opt-outs that Twilio knew, and does not count them', () => {
  const drops = dropsOf(
    [
      { code: 21_610, count: 300 },
      { code: 30_005, count: 136 },
    ],
    areas,
  );
  expect(drops.codes).toMatchObject([
    { code: 21_610, counted: false },
    { code: 30_005, counted: true },
  ]);
  expect(drops.carriers).toEqual([]);
  const words = suspensionInWords({ rule: 'dropped', attempted: 804, counted: 136 }, drops);
  expect(words).toMatch(/^136 of 804 messages \(16\.9 %\) were not delivered\. Most often \(136\): 30005\./);
  expect(words).toContain('300 more had opted out at Twilio, which your own list did not know.');
});

it('tells of those that waited too long at Twilio, and does not count them', () => {
  const drops = dropsOf(
    [
      { code: 30_036, count: 200 },
      { code: 30_005, count: 136 },
    ],
    areas,
  );
  expect(drops.codes).toMatchObject([
    { code: 30_036, counted: false },
    { code: 30_005, counted: true },
  ]);
  const words = suspensionInWords({ rule: 'dropped', attempted: 804, counted: 136 }, drops);
  expect(words).toContain('Most often (136): 30005.');
  expect(words).toContain('200 more were still waiting at Twilio when the sending window closed.');
  expect(words).not.toContain('opted out');
});
