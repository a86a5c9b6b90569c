/**
 * Whether a free text may mean "stop texting me" (C6). It is flagged to a user, who says whether it does; so it must find
 * what people write, and must not cry wolf over "stop by tomorrow". Sentence by sentence: most phrases count only when a
 * sentence says nothing else, the clearest ones also within a longer one.
 */

/** Longer sentences are no such wish; and an expression never has to look at more. */
const longestSentence = 200;

const any = (...words: string[]): string => `(?:${words.join('|')})`;
const maybe = (...words: string[]): string => `(?: ${any(...words)})?`;

const polite = any(
  'please',
  'pls',
  'plz',
  'plse',
  'kindly',
  'just',
  'svp',
  'stp',
  's il (?:vous|te) plait',
  'sil (?:vous|te) plait',
);
/** What a sentence may begin with and still say only that. */
const lead = any(
  polite,
  'hi',
  'hey',
  'hello',
  'ok',
  'okay',
  'no',
  'nope',
  // Not "no thanks" as well: what can be read in two ways is read in all of them, again with each word.
  'thanks',
  'thank you',
  'sorry',
  'im sorry',
  'again',
  'so',
  'and',
  'but',
  'then',
  'now',
  'also',
  'fyi',
  'yo',
  'sir',
  'omg',
  'guys',
  'for the last time',
  'not interested',
  'im not interested',
  'i am not interested',
  '(?:can|could|would|will) (?:you|u|someone)',
  '(?:you|u) need to',
  '(?:you|u) have to',
  '(?:i|id|i would|we) (?:want|need|like|ask|asked|told|beg|am asking|already asked|already told) (?:you|u) to',
  'i said',
  'i said to',
  'bonjour',
  'allo',
  'non',
  'merci de',
  'desole',
  'veuillez',
  '(?:pouvez|peux) (?:vous|tu)',
);
/** What it may end with. */
const tail = any(
  polite,
  'now',
  'right now',
  'already',
  'immediately',
  'asap',
  'today',
  'again',
  'anymore',
  'any more',
  'any longer',
  'ever',
  'ever again',
  'thanks',
  'thank you',
  'thx',
  'ty',
  'ok',
  'okay',
  'sorry',
  'man',
  'sir',
  'guys',
  'merci',
  'maintenant',
  'tout de suite',
);

const stop = any('stop', 'quit', 'cease');
const me = any('me', 'us', 'my (?:phone|cell|number)', 'this (?:phone|number)', 'here');
const texts = any('texts?', 'text messages?', 'messages?', 'msgs?', 'sms', 'spam', 'txts?');
const writing = any(
  'texting',
  'txting',
  'messaging',
  'msging',
  'contacting',
  'spamming',
  'bothering',
  'harassing',
  'calling',
  'writing',
);
const write = any(
  'text',
  'txt',
  'message',
  'msg',
  'contact',
  'bother',
  'write',
  'sms',
  'text or call',
  'call or text',
  'contact or text',
);
const self = any('me', 'us', 'my (?:phone |cell )?number', 'this number', 'my (?:contact )?(?:info|information)');
const list = `(?:(?:your|the|this|that|ur|any|all|all your|all of your) )?(?:(?:text|texting|sms|contact|call|calling|mailing|marketing|messages?|messaging|phone|distribution) )?${any(
  'lists?',
  'database',
  'system',
  'records',
  'contacts',
  'texts',
  'text messages',
  'messages',
)}`;
const fewer = `(?:any |all |the |these |those |your |ur |this |so many |of |more )*`;
const textos = any('messages?', 'textos?', 'sms', 'texts?', 'messages? textes?');
const arreter = any('arretez?', '(?:merci )?darreter', 'arreter', 'arret', 'cessez?', 'cesser');
const liste = any('listes?', 'base', 'contacts', 'systeme');
const wish = `(?:i |we )?${any('want', 'wish', 'would like', 'id like', 'need', 'd like')}`;

/** Clear enough to be found within a longer sentence too. */
const clear = [
  `${stop} ${writing}(?: and ${writing})? ${me}`,
  `${stop} sending (?:${me} )?${fewer}${texts}`,
  `(?:remove|delete|unsubscribe|erase|drop) (?:${self}|my name) from ${list}`,
  `take (?:${self}|my name) (?:off|off of|out of|from) ${list}`,
  `${any('do not', 'dont', 'never')}(?: ever)? ${write} ${me}${maybe('again', 'anymore', 'any more', 'ever again')}`,
  `(?:you|u|youve|uve) (?:have|got|have got|must have|may have|probably have) the wrong ${any('number', 'person', 'guy', 'phone number')}`,
  `lose ${any('my', 'this')} number`,
  `(?:arretez?|arreter|cessez?|cesser) (?:de )?(?:me |m ?|nous )${any('texter', 'contacter', 'ecrire', 'harceler', 'deranger', 'spammer', 'appeler', `envoyer (?:des |vos |ces |de |d autres |tous ces )?${textos}`)}`,
  `ne (?:me |m ?|nous )${any('textez', 'texte', 'textes', 'contactez', 'contacte', 'ecrivez', 'ecris', 'derangez', 'appelez')} plus`,
  `ne (?:me |m ?|nous )?${any('envoyez', 'envoie', 'envoies')} plus (?:de |vos |ces |aucun )?${textos}`,
  `(?:retirez?|retire|enlevez?|enleve|supprimez?|supprime|effacez?|efface) (?:moi|nous|mon numero|mon nom|ce numero) de (?:la |votre |ta |cette |vos )?${liste}`,
  `(?:desabonnez|desabonne|desinscrivez|desinscris) moi`,
  `vous (?:avez|appelez|textez) (?:fait )?(?:le |un |au )?(?:mauvais|faux) numero`,
];

/** Only when the sentence says nothing else. */
const plain = [
  ...clear,
  `${stop} ${writing}`,
  `${stop} sending (?:me )?(?:this|these|those|stuff)`,
  `${stop} ${fewer}${texts}`,
  `(?:${wish} to )?${any('stop', 'quit')} (?:getting|receiving) ${fewer}${texts}${maybe('from (?:you|u)')}`,
  `(?:remove|delete|unsubscribe|erase) ${self}`,
  `${any('unsubscribe', 'opt out', 'remove')}(?: ${me})?(?: from)? ${any('all', 'everything')}`,
  `(?:i |we )?(?:hereby )?${any('revoke', 'withdraw', 'am revoking', 'am withdrawing')} (?:my |our |all |any )?(?:prior )?consent`,
  `${any('not interested', 'im not interested', 'i am not interested', 'no thanks', 'no thank you')} ${stop}`,
  `take ${self} off`,
  `(?:opt|take) me out`,
  `${any('unsubscribe', 'opt out', 'remove')} ${polite}`,
  `${wish} to ${any('opt out', 'unsubscribe', 'be removed', 'be unsubscribed', `be (?:removed|taken off|unsubscribed) (?:from |of )?${list}`)}`,
  `how (?:do|can|would) i ${any('unsubscribe', 'opt out', `get off ${list}`, `stop (?:getting |receiving )?${fewer}${texts}`)}`,
  `(?:i |we )?${any('do not', 'dont', 'no longer')} ${any('want', 'wish', 'need')}(?: to)?(?: ${any('receive', 'get', 'be sent')})? ${fewer}${texts}${maybe('from (?:you|u)')}`,
  `(?:i |we )?${any('do not', 'dont', 'no longer')} ${any('want', 'wish')} to be ${any('contacted', 'texted', 'messaged')}`,
  `no more ${texts}${maybe('from (?:you|u)', 'to me')}`,
  `leave ${any('me', 'us')} alone`,
  `(?:(?:i think )?(?:this is|thats|that is|its|it is|you (?:have|got)|u (?:have|got)|youve got|wrong person) )?(?:the |a )?wrong (?:number|phone number|person)`,
  `(?:retirez?|retire|enlevez?|enleve|supprimez?|supprime|effacez?|efface) (?:moi|mon numero|ce numero)`,
  `(?:je |j ?)${any('veux', 'voudrais', 'souhaite', 'aimerais', 'desire')} (?:me |etre )${any('desabonner', 'desinscrire', 'desabonnee?', 'retiree?')}${maybe('de (?:la |votre )?liste')}`,
  `je ne ${any('veux', 'souhaite', 'desire')} (?:plus|pas) (?:recevoir )?(?:de |vos |ces |aucun )?${textos}`,
  `${arreter} (?:avec )?(?:les |vos |ces |tous (?:les|vos|ces) |de )?${textos}`,
  `(?:me |nous )${any('retirer', 'enlever', 'supprimer', 'effacer', 'desabonner', 'desinscrire')}(?: de (?:la |votre |ta |cette |vos )?${liste})?`,
  `plus de ${textos}`,
  `(?:cest |vous avez )?(?:le |un )?(?:mauvais|faux) numero`,
  `erreur de numero`,
  `vous (?:vous trompez|etes trompee?s?|faites erreur) (?:de |sur le )(?:numero|personne)`,
  `laissez? (?:moi|nous) tranquille`,
];

const whole = new RegExp(`^(?:${lead} ){0,6}${any(...plain)}(?: ${tail}){0,4}$`);
/** Between commas the clearest only: "remove me, Ann and Lee from the 3 pm slot" is about a slot. */
const clause = new RegExp(`^(?:${lead} ){0,6}${any(...clear)}(?: ${tail}){0,4}$`);
/** A bare "stop" is banter, or the beginning of something else, unless it is said politely or with impatience. */
const bare = any('stop', 'quit', 'cease', arreter);
const politely = new RegExp(
  `^(?:(?:${lead} )*${any(polite, 'merci', 'veuillez')} ${bare}(?: it| this| that| ca| cela)?|(?:${lead} ){0,4}${bare}(?: it| this| ca)? ${any(polite, 'now', 'right now', 'already', 'immediately', 'thanks', 'thank you', 'thx', 'merci', 'maintenant', 'tout de suite')})(?: ${tail}){0,3}$`,
);
/** Within a sentence: after a word that begins a wish, and before its end or a word that begins a reason. */
const within = new RegExp(
  `(?:^|(?:^| )(?:${polite}|so|and|but|then|${any('ask', 'asked', 'asking', 'tell', 'told', 'telling', 'want', 'need')} (?:you|u) to|number|here) )` +
    `${any(...clear)}(?: ${tail})*` +
    `(?:$| (?:and|or|because|cause|cuz|bc|since|as|i|im|ive|we|this|you|its|he|she|my|or else|before i|car|je|on) ?)`,
);

/** Lower case, without accents, apostrophes or signs; ends of sentences become line ends, commas stay. */
const plainText = (body: string): string =>
  body
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/['’‘`´]/g, '')
    .replaceAll(/[.!?;:\n\r]+/g, '\n')
    .replaceAll(/[^\p{L}\p{N}\n,]+/gu, ' ');

const words = (text: string): string => text.replaceAll(/[\s,]+/g, ' ').trim();

/** Whether somebody should ask themselves if the contact wants no more texts. Keywords are not its business. */
export function mayRevoke(body: string): boolean {
  return plainText(body)
    .split('\n')
    .filter((sentence) => sentence.length <= longestSentence)
    .some((sentence) => {
      const all = words(sentence);
      if (whole.test(all) || politely.test(all) || within.test(all)) return true;
      return sentence.split(',').some((part) => within.test(words(part)) || clause.test(words(part)));
    });
}
