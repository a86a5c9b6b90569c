/** The text of a message to one contact: merge codes filled in, and what the first message must say (C3). */
import { merge, mergeCodesIn } from './merge-codes.ts';
import { countSegments } from './segments.ts';

/** Twilio takes no more characters in one message. */
export const longestBody = 1_600;

/** "Reply", "Text HELP or", "répondez « ": what is said before the word to send. */
const beforeWord =
  /(?<!\p{L})(?:reply|respond|answer|text|txt|send|type|r[ée]pondez|textez|envoyez|[ée]crivez)(?: back)?(?: with)?(?: the word)?\s+(?:\p{L}{2,10}(?:\s*[,/&]\s*|\s+(?:or|and|ou|et)\s+))?["“'«]?\s*$/iu;
/** ". STOP to opt out", "HELP for help, STOP=end": a sentence of its own, or one more word of a list. */
const beginning = /(?:^|[.,;:!?/(|•\n]\s*|\s[-–—]\s*|(?<!\p{L})(?:or|and|ou|et|&)\s+)["“'«]?\s*$/iu;
const afterWord = /^["”'»]?\s*(?:(?:to|for|pour|ends?|quits?|cancels?|unsubscribes?|opts?)(?!\p{L})|[2=:])/iu;

/**
 * Whether a text tells how to opt out. In capitals, as instructions say it, and as one: neither "please stop by" nor "the
 * BUS STOP" tells anybody.
 */
export const saysHowToStop = (body: string): boolean =>
  [...body.matchAll(/(?<![\p{L}\p{N}])STOP(?!\p{L})/gu)].some(({ index }) => {
    const before = body.slice(Math.max(0, index - 60), index);
    return beforeWord.test(before) || (beginning.test(before) && afterWord.test(body.slice(index + 4, index + 20)));
  });

/** With what the first message to a contact must say, unless it says how to opt out already. */
export const withDisclaimer = (body: string, disclaimer: string): string =>
  saysHowToStop(body) ? body : `${body} ${disclaimer}`;

/** What a person wrote of a text that the disclaimer was added to. */
export const withoutDisclaimer = (body: string, disclaimer: string): string =>
  body.endsWith(` ${disclaimer}`) ? body.slice(0, -disclaimer.length - 1) : body;

/** Why a message cannot leave that would be the first: with what it must say, it is longer than Twilio takes. */
export const noRoom = 'no_room_for_disclaimer';

/** The first message to a contact as it leaves, and in how many segments. */
export function asFirstMessage(written: string, disclaimer: string): { body: string; segments: number } {
  const body = withDisclaimer(written, disclaimer);
  return { body, segments: countSegments(body).segments };
}

/** The merge codes of `body` that stand for nothing here: the contact has no first name. */
export const emptyMergeCodes = (body: string, values: Partial<Record<string, string>>): string[] =>
  mergeCodesIn(body).filter((code) => !values[code]);

/** What merge codes stand for in a message. */
export const mergeValuesOf = (names: {
  contact: { firstName: string | null; lastName: string | null };
  organization: string;
  user: string | null;
}): Record<string, string> => ({
  'contact.firstName': names.contact.firstName ?? '',
  'contact.lastName': names.contact.lastName ?? '',
  'organization.name': names.organization,
  'user.name': names.user ?? '',
});

/** A setting's text, as the organization's user says it. */
export const inWordsOf = (text: string, organization: string, user: string | null): string =>
  merge(text, { 'organization.name': organization, 'user.name': user ?? organization });
