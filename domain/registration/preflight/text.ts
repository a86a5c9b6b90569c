/** What a text contains, as a reviewer would read it. */
import { shorteners } from './words.ts';

/** Sentences that say what is *not* done: "We never send content about alcohol". Of prose only: samples speak literally. */
const denial =
  /\b(?:never|cannot|without)\b|\b(?:do|does|will|shall|can|may|must|is|are)(?: not\b|n['’]t\b)|\bwon['’]t\b|\bno (?:content|messages?|texts?|sms|marketing|promotion\w*)\b/i;

export const sentences = (text: string): string[] => text.split(/(?<=[.!?;])\s+|[\r\n]+/);

/** The sentences of prose that claim something. */
export const claims = (text: string): string[] => sentences(text).filter((sentence) => !denial.test(sentence));

/**
 * How to stop the messages: "Reply STOP to opt out", "Text STOP to end", "STOP2END". Not "stop by our shop": the word
 * counts in capitals, or with what to do about it.
 */
const optOut = [
  /(?<!\b(?:BUS|DON'?T|DON’T|NON) )\b(?:STOP(?! (?:BY|IN|AT|ON|THE|YOUR|OVER|HERE)\b)|STOPALL|UNSUBSCRIBE|ARR[EÊ]T)\b/,
  /\b(?:reply|text|txt|send|respond|type)(?:ing)?(?: (?:with|back|us|the word))*[\s"'“‘:]+(?:stop|unsubscribe|end|quit|opt-?out|arr[eê]t)\b/i,
  /\bstop ?(?:to |= ?|2 ?)(?:opt|unsub|end|cancel|quit|stop)/i,
  /\b(?:to|can|may) (?:opt[- ]?out|unsubscribe)\b/i,
];
export const tellsOptOut = (text: string): boolean => optOut.some((pattern) => pattern.test(text));

// Bounded, here and below: a text without spaces must not take time in the square of its length.
const email = /(?<![^\s@"'<>()])[^\s@"'<>()]{1,64}@[^\s@"'<>()]+/g;
/** With a path any ending will do; a bare domain must have one that is not also the start of a sentence. */
const link =
  /(?<![@\w.-])(?:https?:\/\/|www\.)[^\s<>"']+|(?<![@\w.-])(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,8}(?:[a-z]{2,}\/[^\s<>"']*|(?:com|net|org|io|co|edu|gov|info|biz|jobs|app|dev|link|shop|store|online|site|ca|us)(?![\w@-]|\.\w))/gi;
/** `[link]`, `{{job.url}}`, `<tracking link>`: the message will have one. */
const linkPlaceholder = /[[{<][^[\]{}<>]{0,60}\b(?:link|url)\b[^[\]{}<>]{0,60}[\]}>]/i;

const withoutEmails = (text: string): string => text.replaceAll(email, ' ');

const linksIn = (text: string): string[] => withoutEmails(text).match(link) ?? [];

export const hasLink = (text: string): boolean => linksIn(text).length > 0 || linkPlaceholder.test(text);

/** The public shortener that a text links to. */
export function shortenerIn(text: string): string | null {
  for (const found of linksIn(text)) {
    const host = /^(?:https?:\/\/)?(?:www\.)?([^/?#:]+)/i.exec(found)?.[1]?.toLowerCase();
    if (host !== undefined && shorteners.includes(host)) return host;
  }
  // Short endings without a path are not seen as links above: "bit.ly" is one anyhow.
  const bare =
    /(?<![@\w./-])(bit\.ly|tinyurl\.com|goo\.gl|ow\.ly|buff\.ly|rebrand\.ly|cutt\.ly|rb\.gy|tiny\.cc)\b/i.exec(text);
  return bare ? bare[1]!.toLowerCase() : null;
}

/** Ten digits in a row are an order number as often as a phone number: those need a word before them that says so. */
const phone = [
  /(?<![\w$#/-])(?:\+?1[\s.-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.-])\d{3}[\s.-]?\d{4}(?![\w-])/,
  /(?<!\w)\+\d[\d\s().-]{7,30}\d(?!\w)/,
  /\b(?:call|text|phone|dial|ring|tel|fax)(?: us| me| back)?(?: at| on)?[\s.:]*(?:1?\d{10}|\d{3}-\d{4})(?![\w-])/i,
  /(?<!\w)(?:1[\s.-])?8(?:00|33|44|55|66|77|88)[\s.-][A-Z\d][A-Z\d-]{5,20}[A-Z\d](?!\w)/,
  /(?<!\w)\(?(?:\d{3}|X{3})\)?[\s.-]X{3}[\s.-]X{4}(?!\w)/i,
  /[[{<][^[\]{}<>]{0,60}\b(?:phone|telephone)(?:[\s_-]?(?:number|no))?\s*[\]}>]/i,
];
export function hasPhone(text: string): boolean {
  const rest = withoutEmails(text).replaceAll(link, ' ');
  return phone.some((pattern) => pattern.test(rest));
}

const suffixes =
  'inc incorporated llc llp lp ltd limited corp corporation co company pllc pc plc gmbh ltee limitee com';
/** Words that many companies' names begin with: alone they name nobody. */
const common =
  'the a an of and for at by in on my our your new old first best all top city home auto american national united general north south east west northern southern eastern western global international group services service staffing solutions great good big little local your st san los las el la le les de mr mrs dr';
const suffixWords = new Set(suffixes.split(' '));
const commonWords = new Set(common.split(' '));

const wordsOf = (text: string): string[] =>
  text
    .normalize('NFD')
    .replaceAll(/[\p{M}'’]/gu, '')
    // Initials are one word; a dot elsewhere ends one.
    .replaceAll(/(?<![\p{L}\p{N}])(\p{L})\./gu, '$1')
    .replaceAll('&', ' and ')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

/** A company's name in comparable words: `Acme Staffing, L.L.C.` and `ACME staffing` are the same. */
export function bareName(name: string): string {
  const words = wordsOf(name);
  while (words.length > 1 && suffixWords.has(words.at(-1)!)) words.pop();
  return words.join(' ');
}

/** Whether a text says who sends: one of the names, or its first word that is not everybody's. */
export function namesOneOf(text: string, names: readonly string[]): boolean {
  const words = wordsOf(text);
  const spaced = ` ${words.join(' ')} `;
  const joined = words.join('');
  return names.map(bareName).some((name) => {
    if (name === '') return false;
    const first = name.split(' ').find((word) => !commonWords.has(word));
    const squeezed = name.replaceAll(' ', '');
    return (
      spaced.includes(` ${name} `) ||
      (squeezed.length >= 5 && joined.includes(squeezed)) ||
      // With the s of "Bluebird's".
      (first !== undefined && first.length >= 3 && (words.includes(first) || words.includes(`${first}s`)))
    );
  });
}

/** What carriers want said where people opt in, and how it is recognized. */
const disclosures: Readonly<Record<string, { test(text: string): boolean }>> = {
  'how often messages come ("Message frequency varies")':
    /\bfrequenc(?:y|ies)\b|\b(?:msgs?|messages?|texts?|times?|once|twice)\s*(?:\/\s*|per |each |every |an? (?=day|week|month|year))\w|\b(?:recurring|daily|weekly|monthly)\b|\bmessages? vary\b/i,
  'that it may cost something ("Message and data rates may apply")':
    /\b(?:data|messag(?:e|ing)|msg|carrier|standard)\b[^.]{0,25}\b(?:rates?|charges?|fees?)\b/i,
  'how to stop ("Reply STOP to opt out")': { test: tellsOptOut },
  'how to get help ("Reply HELP for help")':
    /\bHELP\b|\b(?:reply|text|send|respond)(?:ing)?(?: with| back)*[\s"'“‘:]+help\b/i,
};

export const missingDisclosures = (text: string): string[] =>
  Object.entries(disclosures).flatMap(([what, pattern]) => (pattern.test(text) ? [] : [what]));
