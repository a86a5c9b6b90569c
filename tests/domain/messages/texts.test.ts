/** Segments, merge codes, phone numbers and the settings' defaults. */
import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, it } from 'vitest';
import {
  codesInWords,
  merge,
  mergeCodes,
  mergeCodesIn,
  personalCodes,
  textsAndCodes,
  unknownCodesMessage,
  unknownMergeCodes,
} from '../../../domain/messages/merge-codes.ts';
import { saysHowToStop } from '../../../domain/messages/text.ts';
import { parsePhone } from '../../../domain/phone.ts';
import { countSegments } from '../../../domain/messages/segments.ts';
import { defaultSettings, withDefaults } from '../../../domain/settings.ts';
import { cpuMsOf } from '../../harness/cpu-time.ts';

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

  it('of letters beyond ASCII, counted the fast way, are what the library counts', () => {
    const letter = fc.oneof(
      { weight: 3, arbitrary: ascii },
      { weight: 2, arbitrary: fc.integer({ min: 0xa0, max: 0x4ff }).map((code) => String.fromCharCode(code)) },
      fc.integer({ min: 0x2000, max: 0x2040 }).map((code) => String.fromCharCode(code)),
      fc.integer({ min: 0x3000, max: 0xd7ff }).map((code) => String.fromCharCode(code)),
      // Those that join what is before them, or stand for half a character.
      fc.constantFrom('\u0301', '\u200D', '\u0BBF', '\u11A8', '\uFE0F', '\uD83D', '\r'),
    );
    const gsm = fc.constantFrom(...Array.from("abc £¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\n'"));
    const text = fc.oneof(
      fc.string({ unit: letter, minLength: 1, maxLength: 300 }),
      fc.string({ unit: gsm, minLength: 1, maxLength: 400 }),
    );
    const same = (body: string) => {
      expect(countSegments(body)).toEqual(byLibrary(body));
    };
    fc.assert(fc.property(text, same), { numRuns: 400 });
    for (const characters of ['ê', '李', 'ю', '’'])
      for (const length of [70, 71, 134, 135]) same(characters.repeat(length));
    for (let code = 1; code < 0xd800; code += 1)
      if (code % 997 === 0 || code < 0x500) same(`a${String.fromCharCode(code)}`);
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
    const body = '{{contact.firstName}} {{job.title}} {{ organization.name }} {{}} {{Job.title}}';
    expect(unknownMergeCodes(body)).toEqual(['', 'Job.title']);
    expect(unknownMergeCodes(body, personalCodes)).toEqual(['job.title', '', 'Job.title']);
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

  it('are the ten of the API, and a message about others names them all', () => {
    expect(mergeCodes).toHaveLength(10);
    const message = unknownCodesMessage(['first_name']);
    for (const known of mergeCodes) expect(message).toContain(`{{${known}}}`);
    expect(unknownCodesMessage(['x'], ['a', 'b'])).toBe(
      'holds {{x}}, which stands for nothing here: use {{a}} or {{b}}',
    );
    expect(unknownCodesMessage(['x'.repeat(1_000)], ['a']).length).toBeLessThan(400);
    expect([[], ['a'], ['a', 'b', 'c']].map((codes) => codesInWords(codes))).toEqual([
      '',
      '{{a}}',
      '{{a}}, {{b}} and {{c}}',
    ]);
  });

  it('are looked for in no more time than the text is long', () => {
    const spaces = ' '.repeat(200_000);
    const took = cpuMsOf(() => {
      for (const body of [`{{${spaces}`, `{{a${spaces}}`, '{{'.repeat(100_000), `{{${spaces}a${spaces}}}`]) {
        expect(mergeCodesIn(body)).toEqual(body.endsWith('}}') ? ['a'] : []);
        merge(body, {});
      }
    });
    // Trying every division of the white space would take days.
    expect(took).toBeLessThan(2_000);
  });

  it('are told from the texts between them, which tell nothing of codes any more', () => {
    expect(textsAndCodes('Hi {{ a }}{{b}}, {c}')).toEqual(['Hi ', 'a', '', 'b', ', {c}']);
    fc.assert(
      fc.property(bodies, (body) => {
        const parts = textsAndCodes(body).map((part, index) => (index % 2 === 0 ? part : `{{${part}}}`));
        expect(parts.join('')).toBe(merge(body, {}));
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
    // With the hyphens, spaces and invisible marks of word processors and address books.
    ['312\u2011555\u20110123', '+13125550123'],
    ['(312)\u00A0555\u20130123', '+13125550123'],
    ['\u202D+1 (312) 555\u22120123\u202C', '+13125550123'],
    // An area code that nobody has yet.
    ['+1 299 555 0123', '+12995550123'],
  ])('written %s is %s', ([written, number]) => {
    expect(parsePhone(written!)).toEqual({ status: 'valid', number });
  });

  it.for([
    '12345',
    '555-01',
    '+999 123 456 7890',
    '31255501234567',
    '+10004567890',
    '+11234567890',
    '012 555 0123',
    '+1 312 055 0123',
    '312-155-0123',
  ])('%s is kept as it is, and never texted', (written) => {
    expect(parsePhone(written)).toEqual({ status: 'invalid', number: written });
  });

  it.for(['', 'n/a', 'call me', '+', '--', '5', 'x312-555-0123', '(((', '３１２'])('%j is no number', (written) => {
    expect(parsePhone(written).status).toBe('not_a_number');
  });

  it.for([
    '312-555-0123 ext. 5',
    '(312) 555-0123 x22',
    '+13125550123#7',
    '312 555 0123, Extension 12',
    '312-555-0123x5',
  ])('%s has an extension', (written) => {
    expect(parsePhone(written)).toEqual({ status: 'extension' });
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

describe('how to opt out', () => {
  it.for([
    'Reply STOP to opt out.',
    'Hiring now. Text STOP to end',
    'reply "STOP" and we stop',
    'Reply HELP for help, STOP to opt out.',
    'Txt HELP/STOP',
    'Msg frequency varies. STOP=end',
    'Reply YES to agree or STOP to refuse.',
    'Répondez STOP pour ne plus recevoir de messages.',
    'Envoyez ARRET ou STOP',
    'Acme: hello - STOP to quit',
    'STOP2end',
  ])('%s tells', (body) => {
    expect(saysHowToStop(body)).toBe(true);
  });

  it.for([
    'Non-STOP trucking jobs at Acme',
    'meet at the BUS STOP',
    'Meet at the BUS STOP to get picked up',
    'STOP! Read this.',
    'please stop by',
    'reply stop to opt out',
    'Never STOP. Reply to us.',
    'Reply STOPPED',
    '',
  ])('%j does not', (body) => {
    expect(saysHowToStop(body)).toBe(false);
  });

  it('is looked for in no more time than the text is long', () => {
    const nasty = ['STOP '.repeat(2_000), `reply ${' '.repeat(10_000)}STOP`, 'reply STOP/'.repeat(1_000)];
    expect(cpuMsOf(() => nasty.forEach(saysHowToStop))).toBeLessThan(2_000);
  });
});
