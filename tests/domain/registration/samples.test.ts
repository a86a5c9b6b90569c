/** Message samples as they are pasted, and as they will be sent (A6). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanedSamples, cleanSample } from '../../../domain/registration/samples.ts';

const text = 'Acme: your car is ready. Reply STOP to opt out.';

describe('a sample', () => {
  it.for([
    `1. ${text}`,
    `1) ${text}`,
    `2)${text}`,
    `3.${text}`,
    `#2: ${text}`,
    `Sample 1: ${text}`,
    `SAMPLE #2 - ${text}`,
    `Sample message 3) ${text}`,
    `Sample: ${text}`,
    `Example 1. ${text}`,
    `Message 2: ${text}`,
    `Sample 1\n${text}`,
    `- ${text}`,
    `– ${text}`,
    `• ${text}`,
    `•${text}`,
    `* ${text}`,
    `"${text}"`,
    `“${text}”`,
    `'${text}'`,
    `‘${text}’`,
    `«${text}»`,
    `“${text}"`,
    `1. "${text}"`,
    `"1. ${text}"`,
    `- Sample 2: “${text}”`,
    `"'${text}'",`,
    `1)  • "2. ${text}" `,
    `\t ${text}\r\n`,
    text.replaceAll(' ', '\u00A0'),
    text.replaceAll(' ', '  '),
    text.replace(' your', '\r\n\r\nyour'),
    `\uFEFF${text}\u200B`,
  ])('is what it will be when it is written as %j', (written) => {
    expect(cleanSample(written)).toBe(text);
  });

  it.for([
    text,
    '2 new jobs near you: [job], [job]',
    '10% off at Acme today',
    '1.5 hours left at Acme',
    '9:30 at Acme, [name]?',
    '(2) new messages at Acme',
    '1. Reply YES to confirm 2. Reply NO to cancel',
    '$5 off at Acme',
    '-20% at Acme',
    '*New* at Acme',
    '[Name], Acme has a job for you',
    'Sample sale at Acme today',
    'Sample.com: your order is ready',
    'Message from Acme: hello',
    'Message 1 of 2 from Acme',
    '"Yes" or "no"? Tell Acme "now"',
    "'Yes' or 'no'",
    '"Acme" says hello',
    "Don't miss Acme's sale",
    'Acme: say "YES"',
    '1.',
    '"',
    '',
  ])('stays %j', (written) => {
    expect(cleanSample(written)).toBe(written);
  });

  it('keeps apostrophes and quotes within those that enclose it', () => {
    expect(cleanSample(`'Don't miss Acme's sale'`)).toBe("Don't miss Acme's sale");
    expect(cleanSample('"Acme: say "YES" to confirm"')).toBe('Acme: say "YES" to confirm');
    expect(cleanSample('“Acme: say “YES” or “NO””')).toBe('Acme: say “YES” or “NO”');
  });

  const labels = ['1.', '2)', '10:', '#1', 'Sample', 'Sample 2:', 'message', '-', '•', '*'];
  const marks = ['"', "'", '“', '”', '’', ',', ';', '('];
  const spaces = [' ', '\n', '\r\n', '\t', '\u00A0', '\u200B'];
  const piece = fc.constantFrom(...labels, ...marks, ...spaces, 'Acme', 'STOP', 'a', 'É', '5', '👍');
  const written = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );

  it('that was cleaned is clean', () => {
    fc.assert(
      fc.property(written, (sample) => {
        const cleaned = cleanSample(sample);
        expect(cleanSample(cleaned)).toBe(cleaned);
        expect(cleaned).not.toMatch(/^\s|\s$|\s\s|[^\S ]/u);
      }),
      { numRuns: 20_000 },
    );
  });

  it('loses nothing but what is around it', () => {
    fc.assert(
      fc.property(written, (sample) => {
        const flat = sample.replaceAll(/[\u200B\u2060]/gu, '').replaceAll(/\s+/gu, ' ');
        expect(flat).toContain(cleanSample(sample));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('cleaned samples', () => {
  it('come with what was changed, each at its field', () => {
    expect(cleanedSamples([text, `2. "${text}"`, ` ${text}`])).toEqual({
      samples: [text, text, text],
      changes: [
        { field: 'messageSamples[1]', before: `2. "${text}"`, after: text },
        { field: 'messageSamples[2]', before: ` ${text}`, after: text },
      ],
    });
  });

  it('that were clean come without changes', () => {
    expect(cleanedSamples([text])).toEqual({ samples: [text], changes: [] });
    expect(cleanedSamples([])).toEqual({ samples: [], changes: [] });
  });
});
