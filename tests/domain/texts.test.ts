/** Segments, merge codes, phone numbers and the settings' defaults. */
import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, it } from 'vitest';
import { merge, mergeCodesIn, unknownMergeCodes } from '../../domain/merge-codes.ts';
import { parsePhone } from '../../domain/phone.ts';
import { countSegments } from '../../domain/segments.ts';
import { defaultSettings, withDefaults } from '../../domain/settings.ts';

function byLibrary(body: string) {
  const message = new SegmentedMessage(body);
  return { encoding: message.encodingName, segments: message.segmentsCount, characters: message.numberOfCharacters };
}

describe('segments', () => {
  /** Printable ASCII is where the fast path lives; the others are where it must not be taken. */
  const ascii = fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code));
  const other = fc.constantFrom(
    '\n',
    '\r',
    'é',
    'à',
    'ç',
    'ê',
    '€',
    '^',
    '{',
    ']',
    '|',
    '~',
    '\\',
    '`',
    '’',
    '—',
    '\u00A0',
    '👍',
    '@',
    '$',
    '_',
  );
  const units = fc.oneof({ weight: 30, arbitrary: ascii }, { weight: 1, arbitrary: other });

  it('counted the fast way are what the library counts, for random texts', () => {
    const text = fc.oneof(
      fc.string({ unit: ascii, maxLength: 700 }),
      fc.string({ unit: units, maxLength: 500 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }),
    );
    fc.assert(
      fc.property(text, (body) => {
        if (body === '') return;
        expect(countSegments(body)).toEqual(byLibrary(body));
      }),
      { numRuns: 600 },
    );
  });

  it.for([1, 159, 160, 161, 305, 306, 307, 458, 459, 460, 1_530, 1_531, 1_600])(
    'of %d plain characters are what the library counts',
    (length) => {
      for (const character of ['a', ' ', '\n', '@', '_']) {
        const body = character.repeat(length);
        expect(countSegments(body)).toEqual(byLibrary(body));
      }
    },
  );

  it.for([
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['a'.repeat(306), 2],
    ['a'.repeat(307), 3],
    ['ê'.repeat(70), 1],
    ['ê'.repeat(71), 2],
    ['ê'.repeat(134), 2],
    ['ê'.repeat(135), 3],
    // Each costs two, and a pair never straddles two parts.
    [']'.repeat(80), 1],
    [']'.repeat(81), 2],
    [']'.repeat(153), 3],
  ] as const)('%#: GSM-7 160/153, UCS-2 70/67 (H2)', ([body, segments]) => {
    expect(countSegments(body).segments).toBe(segments);
  });
});

describe('merge codes', () => {
  const code = fc.constantFrom('contact.firstName', 'contact.lastName', 'organization.name', 'user.name', 'job.title');
  const part = fc.oneof(
    fc.string({ unit: fc.constantFrom(...Array.from("abc $&'`.")), maxLength: 5 }),
    fc.tuple(fc.constantFrom('', ' ', '  '), code).map(([space, name]) => `{{${space}${name}${space}}}`),
  );
  const bodies = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(''));

  it('are found once each, in order, and the unknown ones named', () => {
    expect(mergeCodesIn('{{ b }} {{a}} {{b}}')).toEqual(['b', 'a']);
    expect(unknownMergeCodes('{{contact.firstName}} {{job.title}} {{ organization.name }} {{}}')).toEqual([
      'job.title',
      '',
    ]);
    expect(mergeCodesIn('{{{contact.firstName}}} {not.one} {{open')).toEqual(['contact.firstName']);
  });

  it('with values are gone and the others are written in one form; merging in two steps is merging at once', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const some = { 'organization.name': 'A $& $1 B', 'user.name': 'Sam' };
        const rest = { 'contact.firstName': 'Ann', 'contact.lastName': '' };
        const merged = merge(body, some);
        expect(mergeCodesIn(merged)).toEqual(mergeCodesIn(body).filter((name) => !(name in some)));
        expect(merged).not.toMatch(/\{\{\s|\s\}\}/);
        expect(merge(merged, rest)).toBe(merge(body, { ...some, ...rest }));
      }),
    );
  });

  it('in a value are not replaced in turn', () => {
    expect(merge('{{user.name}}', { 'user.name': '{{organization.name}}', 'organization.name': 'X' })).toBe(
      '{{organization.name}}',
    );
  });
});

describe('a phone number', () => {
  it.for([
    ['(312) 555-0123', '+13125550123'],
    ['312.555.0123', '+13125550123'],
    ['1 312 555 0123', '+13125550123'],
    ['+1 312-555-0123', '+13125550123'],
    [' +33 6 12 34 56 78 ', '+33612345678'],
    ['312/555/0123', '+13125550123'],
  ])('written %s is %s', ([written, number]) => {
    expect(parsePhone(written!)).toEqual({ status: 'valid', number });
  });

  it.for(['12345', '555-01', '+999 123 456 7890', '31255501234567'])(
    '%s is kept as it is, and never texted',
    (written) => {
      expect(parsePhone(written)).toEqual({ status: 'invalid', number: written });
    },
  );

  it.for(['', 'n/a', 'call me', '+', '--', '5', 'x312-555-0123', '(((', '３１２'])('%j is no number', (written) => {
    expect(parsePhone(written).status).toBe('not_a_number');
  });

  it('in E.164 reads as itself however it is punctuated', () => {
    const digits = fc.tuple(
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 0, max: 99 }),
      fc.integer({ min: 2_000_000, max: 9_999_999 }),
    );
    fc.assert(
      fc.property(digits, fc.constantFrom('', ' ', '-', '.'), ([first, area, line], separator) => {
        const code = `${first}${String(area).padStart(2, '0')}`;
        const local = String(line);
        const written = [code, local.slice(0, 3), local.slice(3)].join(separator);
        expect(parsePhone(written)).toEqual({ status: 'valid', number: `+1${code}${local}` });
        expect(parsePhone(`+1${code}${local}`)).toEqual({ status: 'valid', number: `+1${code}${local}` });
      }),
    );
  });
});

describe('settings', () => {
  it('have the defaults of the requirements (E1, F1, F4, C4)', () => {
    expect(defaultSettings).toMatchObject({
      sendWindow: { startTime: '08:00', endTime: '16:00', timeZone: 'America/Chicago' },
      massSmsLimit: 25_000,
      firstBatchSize: 5_000,
      dailyBatchSize: 25_000,
      optOutScope: 'platform',
    });
    expect(withDefaults({})).toEqual(defaultSettings);
  });

  it('that were changed stand, and the others keep their default', () => {
    expect(withDefaults({ optOutScope: 'number' })).toEqual({ ...defaultSettings, optOutScope: 'number' });
  });
});
