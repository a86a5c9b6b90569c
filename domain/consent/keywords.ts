/** What a contact's reply asks for when it is a keyword (C4). Sources: Twilio's default words, the CTIA's, the FCC's, Canada's short codes. */

export type Keyword = 'stop' | 'start' | 'help';

const english: Readonly<Record<Keyword, readonly string[]>> = {
  stop: ['stop', 'stopall', 'unsubscribe', 'cancel', 'end', 'quit', 'revoke', 'optout', 'remove'],
  start: ['start', 'unstop'],
  help: ['help', 'info'],
};
const french: Readonly<Record<Keyword, readonly string[]>> = {
  stop: [
    'arret',
    'arrete',
    'arretez',
    'arreter',
    'desabonne',
    'desabonner',
    'desabonnement',
    'desabonnez',
    'desinscris',
    'desinscrire',
    'desinscription',
    'desinscrivez',
  ],
  start: ['commencer', 'reprendre'],
  help: ['aide'],
};

const wordsOf = (list: Readonly<Record<Keyword, readonly string[]>>) =>
  Object.entries(list).flatMap(([keyword, words]) => words.map((word) => [word, keyword as Keyword] as const));
const byWord = new Map([...wordsOf(english), ...wordsOf(french)]);
const frenchWords = new Set(wordsOf(french).map(([word]) => word));

/** Written in two words, they are one. */
const pairs = /\b(opt|stop)[\s-]+(out|all)\b/g;

/** Lower case, without accents and signs, two words that are one joined. */
const plainText = (body: string): string =>
  body
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .replaceAll(pairs, '$1$2')
    .replaceAll('-', '')
    .trim();

/**
 * The keyword a message is, when it is nothing else: case, accents, punctuation and spaces around it do not matter, nor
 * how often it is repeated. `opt out` and `opt-out` count as one word; `stop by tomorrow` is not a keyword.
 */
export function keywordOf(body: string): Keyword | null {
  const words = plainText(body).split(/\s+/);
  const first = byWord.get(words[0]!);
  // "STOP STOP" or "stop, unsubscribe": whoever is that clear is understood.
  return first !== undefined && (words.length === 1 || words.every((word) => isRepeated(word, first))) ? first : null;
}

const isRepeated = (word: string, keyword: Keyword): boolean => keyword === 'stop' && byWord.get(word) === 'stop';

/** Whether a keyword is a French one, which is answered in French. */
export const isFrenchKeyword = (body: string): boolean => frenchWords.has(plainText(body));

const twilios = new Set(
  ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT'].concat(
    ['START', 'YES', 'UNSTOP'],
    ['HELP', 'INFO'],
  ),
);

/** Whether Twilio knows the word itself, and has answered it: its default words, with nothing around them. */
export const isAnsweredByTwilio = (body: string): boolean => twilios.has(body.trim().toUpperCase());

/** What confirms an opt-out, once (C4). */
export const optOutConfirmation = (organization: string, body: string): string =>
  isFrenchKeyword(body)
    ? `${organization}: vous ne recevrez plus de messages. Pour en recevoir de nouveau, textez START.`
    : `${organization}: you have opted out and will get no more messages. Reply START to get them again.`;
