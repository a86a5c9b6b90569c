/** Replies passed on by SMS (D4): who wrote, what, and that nobody reads an answer; in three segments at most. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { forwardedText, isForwarded } from '../../../domain/messages/forwarded-text.ts';
import { countSegments } from '../../../domain/messages/segments.ts';

const ending = '\nReplies to this message do not reach the contact.';

it('says who wrote what, and that replies do not reach the contact', () => {
  expect(forwardedText({ from: 'Ada Lovelace', body: 'Tuesday is fine', attachments: 0 })).toBe(
    `From Ada Lovelace: Tuesday is fine${ending}`,
  );
  expect(forwardedText({ from: '+14155550123', body: '', attachments: 2 })).toBe(
    `From +14155550123:  [2 attachments]${ending}`,
  );
});

it('takes three segments at most, whatever was written, cut at the end of what was said and nowhere else', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 1_600 }),
    fc.string({
      unit: fc.constantFrom('a', 'b', ' ', 'é', '€', '[', ']', '🎉', 'ß'),
      minLength: 100,
      maxLength: 1_600,
    }),
  );
  fc.assert(
    fc.property(texts, fc.string({ unit: 'grapheme', maxLength: 200 }), fc.nat(10), (body, from, attachments) => {
      const text = forwardedText({ from, body, attachments });
      expect(countSegments(text).segments).toBeLessThanOrEqual(3);
      expect(text.startsWith('From ')).toBe(true);
      expect(text.endsWith(ending)).toBe(true);
      expect(text.isWellFormed()).toBe(true);
      if (!text.includes(`${body}${attachments === 0 ? '' : ' ['}`)) expect(text).toContain('...');
    }),
    { numRuns: 300 },
  );
});

it('uses the room there is', () => {
  const text = forwardedText({ from: 'Ada', body: 'x'.repeat(1_600), attachments: 0 });
  expect(countSegments(text)).toMatchObject({ segments: 3, characters: 459 });
});

it('is recognized, so that it is not passed on once more', () => {
  expect(isForwarded(forwardedText({ from: 'Ada', body: 'Hello', attachments: 1 }))).toBe(true);
  expect(isForwarded('Hello')).toBe(false);
});
