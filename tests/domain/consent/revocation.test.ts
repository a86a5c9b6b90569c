/** Free text that may mean "stop texting me" (C6): what people write, and what only looks like it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keywordOf } from '../../../domain/consent/keywords.ts';
import { mayRevoke } from '../../../domain/consent/revocation.ts';
import { cpuMsOf } from '../../harness/cpu-time.ts';

const wishes = [
  'please stop texting me',
  'Stop texting me',
  'stop texting me!!!',
  'pls stop texting',
  'Please stop.',
  'please stop',
  'stop please',
  'Stop now',
  'Just stop',
  'ok stop texting me thanks',
  'STOP SENDING ME TEXTS',
  'stop sending me these messages please',
  'stop sending messages',
  'quit texting me',
  'Can you please stop texting me?',
  'Could you stop messaging me',
  'I asked you to stop texting me',
  'I told you to stop contacting me already',
  "I'm not interested so please stop texting me",
  'Not interested, stop texting me',
  'Not interested. Please remove me.',
  'remove me from your list',
  'Remove me from your list please',
  'Please remove me from the list',
  'please remove my number from your database',
  'take me off your list',
  'take me off this list please',
  'Hi, please take me off your texting list, thanks',
  'Can you remove me from your contact list?',
  'remove me',
  'Please remove my number',
  'delete my number',
  'unsubscribe me',
  'unsubscribe please',
  'opt me out',
  'I want to opt out',
  "I'd like to unsubscribe",
  'I would like to be removed from your list',
  'How do I unsubscribe?',
  "don't text me again",
  "Don't text me",
  'Do not text me anymore.',
  'dont text this number',
  'Do not contact me again',
  'never text me again',
  "Please don't message me anymore",
  'no more texts',
  'No more messages please',
  'Leave me alone',
  'leave me alone!',
  'lose my number',
  "I don't want these messages",
  'I no longer want to receive your texts',
  'i dont want any more texts from you',
  'I do not wish to be contacted',
  'wrong number',
  'Wrong number.',
  'wrong number, sorry',
  'Sorry, wrong number',
  'You have the wrong number',
  'I think you have the wrong number',
  'this is the wrong number',
  "You've got the wrong person",
  'Wrong number please remove me from your list',
  "This isn't Maria. You have the wrong number.",
  "arrêtez de m'envoyer des messages",
  "Arrêtez de m'écrire",
  'arrête de me texter',
  "Cessez de m'envoyer des textos svp",
  "ne m'écrivez plus",
  'Ne me contactez plus',
  "ne m'envoyez plus de messages",
  'Ne me textez plus svp',
  'Retirez-moi de votre liste',
  "enlevez-moi de la liste s'il vous plaît",
  'Supprimez mon numéro',
  'Désabonnez-moi',
  'je veux me désabonner',
  'Je ne veux plus recevoir de messages',
  'mauvais numéro',
  'Vous avez le mauvais numéro',
  'Vous vous trompez de numéro',
  'laissez-moi tranquille',
  'Plus de textos svp',
  'Don’t text me again',
  'for the last time stop texting me',
  'I moved away, please take me off your list',
  'Please stop texting me I am not looking for a job',
  'stop texting me or I will report you',
  'you need to stop texting me',
  'Please stop sending me text messages',
  'stop spamming me',
  'Stop bothering me',
  'Hi you have the wrong number, this is not John',
  'stop all messages',
  'Stop these messages',
  'stop the texts please',
  'STOP, thanks',
  'not interested, stop',
  'unsubscribe all',
  'unsubscribe me from everything',
  'I want to stop receiving these texts',
  'stop getting messages from you',
  'I revoke my consent',
  'I hereby withdraw my consent',
  'ARRET SVP',
  'arrêtez svp',
  'svp arrêtez',
  'arrêtez les messages',
  'Arrêtez tous ces messages',
  "merci d'arrêter",
  "Merci d'arrêter les messages",
  'je ne veux pas recevoir de messages',
  'veuillez me retirer de votre liste',
  'me désabonner',
];

const others = [
  'stop by tomorrow at 5',
  'Please stop by tomorrow at 5',
  'stop the car here please',
  'I want to stop receiving the newspaper',
  'can I stop getting ready?',
  'thanks, I will stop',
  'arrêtez la machine svp',
  'je veux arrêter à 5 h',
  'Arrêt de bus devant le bureau',
  'I gave my consent',
  "can't stop laughing",
  "don't stop",
  "don't stop texting me",
  "please don't stop texting me",
  "I'll text you again",
  'text me again tomorrow',
  'remove the second item',
  'please remove the second item',
  'please remove me from the 3pm slot',
  'Can you take me off the Tuesday shift?',
  "I'll stop by after work",
  'the bus stop is near',
  'Where should I stop?',
  'stop it lol',
  'omg stop it 😂',
  'I can stop by your office to sign',
  'why did you stop texting me?',
  'Did you stop texting me?',
  'sorry I stopped texting',
  'My phone stopped working',
  'stop texting while driving',
  'I never text and drive',
  "don't text and drive",
  "don't text me before 9",
  "Don't text me until Monday",
  "don't text me at work",
  "please don't call me, text me",
  'do not call, text me',
  "Don't forget to text me",
  "don't hesitate to text me",
  'never mind',
  'Never received the message',
  'I have the wrong number for the office',
  'did I give you the wrong number?',
  'is this the wrong number?',
  'there was a wrong number of items in the box',
  'I called the wrong number',
  'You gave me the wrong number for Dana',
  'no more questions',
  'No more messages yet from HR',
  'I got no more texts about the shift, is it on?',
  'leave me a message',
  'Leave me alone time for lunch between 12 and 1',
  'please cancel my appointment',
  'please stop the delivery',
  'Stop sending it to my old address',
  'please stop and call me when you are here',
  'I want to opt out of dental insurance',
  'how do I opt in',
  "I'd like to be removed from the Friday schedule",
  'take my number',
  'take my number down',
  'remove my old address',
  'delete the second one',
  'delete my comment please',
  "I don't want to receive the package before Friday",
  'i dont want these shoes',
  'I do not want to work weekends',
  'Please contact me again',
  'contact me',
  'do not contact my employer',
  "Don't contact my references yet",
  'never texted you',
  'He told me to stop texting him',
  'I told my brother to stop texting me',
  'tell John to stop texting me in class',
  "she said don't text me",
  "I don't want any more hours",
  'not interested',
  'No thanks',
  'Yes, please text me',
  'unsubscribed from the newsletter already',
  'the list is wrong',
  'remove item 3 from your list',
  'You have the wrong address',
  'you have the right number',
  'If you have the wrong number let me know',
  'I lost my number',
  'I changed my number',
  "Ne m'oubliez pas",
  'ne partez pas',
  'je passe demain',
  'arrêtez-vous au magasin',
  'je ne veux plus travailler le lundi',
  'plus de questions',
  'le bon numéro',
  'Plus de messages importants demain',
  'retirez la deuxième ligne',
  "Can't stop, won't stop",
  'stop',
  'Full stop. See you tomorrow',
  'My last stop is at 4',
  'quit my job',
  'I quit',
  'I quit my last job because they kept texting me at night',
  'nonstop texting me lol',
  'Did you mean to text this number?',
  'take me off hold',
  'Is there a way to stop the automatic payments?',
  'Could you stop the order please',
  'I want you to text me',
  'remove me, Ann and Lee from the 3 pm slot',
  "If you can't make it, stop by on Friday, or call",
];

describe('may mean no more texts', () => {
  it.for(wishes)('%j', (text) => {
    expect(mayRevoke(text)).toBe(true);
  });

  it('whatever its case, its accents, its signs, and what is said before and after it', () => {
    const beside = fc.constantFrom('', 'Hi there! ', 'I got your message. ', 'Thanks for the offer.\n', 'No. ');
    const end = fc.constantFrom('', '.', '!!!', ' 😡', '\n', ' Thanks!', '. Have a nice day.');
    fc.assert(
      fc.property(fc.constantFrom(...wishes), beside, end, fc.boolean(), (wish, before, after, isLoud) => {
        const written = `${before}${isLoud ? wish.toUpperCase() : wish}${after}`;
        expect(mayRevoke(written), written).toBe(true);
        expect(mayRevoke(written.normalize('NFD')), written).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('means something else', () => {
  it.for(others)('%j', (text) => {
    expect(mayRevoke(text)).toBe(false);
  });

  it('also with other harmless sentences around it', () => {
    const several = fc.array(fc.constantFrom(...others), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(several, fc.constantFrom('. ', '\n', '! '), (sentences, between) => {
        const written = sentences.join(between);
        expect(mayRevoke(written), written).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });
});

it('leaves keywords to those who obey them at once', () => {
  for (const keyword of ['STOP', 'Stop.', 'stop all', 'ARRET', 'START', 'HELP']) {
    expect(keywordOf(keyword)).not.toBeNull();
    expect(mayRevoke(keyword)).toBe(false);
  }
});

it('takes any text, in no time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(typeof mayRevoke(text)).toBe('boolean');
    }),
  );
  // A pattern that tries every way to read them would take hours.
  const nasty = [
    'i want you to '.repeat(700),
    'i want you to '.repeat(14),
    'please '.repeat(28),
    `stop sending ${'any '.repeat(45)}`,
    `${'please stop texting '.repeat(9)}. `.repeat(50),
    'a'.repeat(10_000),
    ','.repeat(10_000),
    'no thanks '.repeat(19),
  ];
  expect(cpuMsOf(() => nasty.forEach(mayRevoke))).toBeLessThan(5_000);
});
