/** What a contact's one-word reply asks for (C4). Sources: Twilio's default words, the CTIA's, the FCC's, Canada's short codes. */

export type Keyword = 'stop' | 'start' | 'help';

const words: Readonly<Record<Keyword, readonly string[]>> = {
  stop: [
    'stop',
    'stopall',
    'unsubscribe',
    'cancel',
    'end',
    'quit',
    'revoke',
    'optout',
    'arret',
    'arreter',
    'desabonner',
  ],
  start: ['start', 'unstop', 'commencer'],
  help: ['help', 'info', 'aide'],
};

const byWord = new Map(
  Object.entries(words).flatMap(([keyword, list]) => list.map((word) => [word, keyword as Keyword])),
);

/**
 * The keyword a message is, when it is nothing else: case, accents, punctuation and spaces around it do not matter.
 * `opt out` and `opt-out` count as one word; `stop by tomorrow` is not a keyword.
 */
export function keywordOf(body: string): Keyword | null {
  const plain = body
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
    .trim();
  const joined = /^(opt|stop)[\s-]+(out|all)$/.test(plain) ? plain.replaceAll(/[\s-]/g, '') : plain.replaceAll('-', '');
  return byWord.get(joined) ?? null;
}
