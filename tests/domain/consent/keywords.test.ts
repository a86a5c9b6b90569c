/** STOP, START and HELP as people write them (C4). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isAnsweredByTwilio,
  isFrenchKeyword,
  type Keyword,
  keywordOf,
  optOutConfirmation,
} from '../../../domain/consent/keywords.ts';

/** Twilio's defaults for long codes, the CTIA's, the FCC's and Canada's. */
const listed: Record<Keyword, readonly string[]> = {
  stop: [
    'STOP',
    'STOPALL',
    'UNSUBSCRIBE',
    'CANCEL',
    'END',
    'QUIT',
    'REVOKE',
    'OPTOUT',
    'opt out',
    'OPT-OUT',
    'ARRET',
    'ARRÊT',
  ],
  start: ['START', 'UNSTOP'],
  help: ['HELP', 'INFO', 'AIDE'],
};
const all = Object.entries(listed).flatMap(([keyword, words]) =>
  words.map((word) => [word, keyword as Keyword] as const),
);

describe('a keyword', () => {
  it.for(all)('%s asks for %s', ([word, keyword]) => {
    expect(keywordOf(word)).toBe(keyword);
  });

  it('is the same whatever its case, and whatever punctuation and spaces are around it', () => {
    const letters = fc.array(fc.boolean(), { minLength: 12, maxLength: 12 });
    const around = fc.string({
      unit: fc.constantFrom(...Array.from('.,!?;:"\'()[]{}…¡¿*_~ \n\t«»“”‘’/\\')),
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.constantFrom(...all), letters, around, around, ([word, keyword], upper, before, after) => {
        const written = Array.from(word, (letter, i) => (upper[i] ? letter.toUpperCase() : letter.toLowerCase())).join(
          '',
        );
        expect(keywordOf(before + written + after)).toBe(keyword);
      }),
      { numRuns: 1_000 },
    );
  });

  it.for([
    'Stop.',
    'stop!!!',
    ' "STOP" ',
    'Arrêt',
    'ARRÊT',
    'arre\u0302t',
    'désabonner',
    'opt   out',
    'Opt-Out.',
    'stop all',
    'S.T.O.P.',
    'STOP 🛑',
    'Stop.',
    'arret',
    'Arrêtez !',
    'STOP ALL',
    'Stop-all',
    'STOP STOP STOP',
    'stop, unsubscribe',
    'Opt out, STOP.',
    'Ｓｔｏｐ',
    'sto\u200Bp',
    'remove',
    'désinscription',
    'Désabonne',
    'désinscrivez',
  ])('%s is a stop', (written) => {
    expect(keywordOf(written)).toBe('stop');
  });

  it.for([
    'stop by tomorrow at 5',
    'Please stop texting me',
    "don't stop",
    'stopped',
    'the end',
    'cancel my appointment',
    'helpful',
    'start date?',
    'yes',
    'no',
    '',
    '   ',
    '🛑',
    'opt',
    'out',
    'opt in',
    'stop by tomorrow at 5',
    'stop start',
    'start start',
    'help me',
    'info please',
    'arrêtez-vous à 5 h',
    'end of the day',
    'opt out of dental',
    'remove the second item',
  ])('%j is none', (written) => {
    expect(keywordOf(written)).toBeNull();
  });

  it('is never found in a text of several words, but for the two that are written so', () => {
    const words = fc.array(fc.constantFrom('please', 'stop', 'me', 'end', 'now', 'thanks', 'help'), {
      minLength: 2,
      maxLength: 5,
    });
    fc.assert(
      fc.property(words, (text) => {
        // Whoever says nothing but stop, in whatever words, is understood.
        const isInsistent = text.every((word) => word === 'stop' || word === 'end');
        expect(keywordOf(text.join(' '))).toBe(isInsistent ? 'stop' : null);
      }),
    );
  });

  it('is found or not in any text without an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect([null, 'stop', 'start', 'help']).toContain(keywordOf(text));
      }),
    );
  });
});

describe('what is answered', () => {
  it.for(['STOP', 'stop', ' Stop\n', 'UNSUBSCRIBE', 'help', 'START'])('%j: by Twilio', (written) => {
    expect(isAnsweredByTwilio(written)).toBe(true);
  });

  it.for(['Stop.', 'stop all', 'opt out', 'ARRÊT', 'aide', 'STOP STOP', 'remove'])('%j: by us', (written) => {
    expect(isAnsweredByTwilio(written)).toBe(false);
    expect(keywordOf(written)).not.toBeNull();
  });

  it('in the language of the keyword', () => {
    expect([isFrenchKeyword('ARRÊT'), isFrenchKeyword('stop.')]).toEqual([true, false]);
    expect(optOutConfirmation('Acme', 'Arrêt')).toMatch(/^Acme: vous ne recevrez plus/);
    expect(optOutConfirmation('Acme', 'stop.')).toMatch(/^Acme: you have opted out/);
  });
});
