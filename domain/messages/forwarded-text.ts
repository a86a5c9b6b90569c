/** A contact's reply as it is passed on to a cell by SMS, and how many are (D4). */
import { countSegments } from './segments.ts';

const mostSegments = 3;
const longestName = 60;
const ending = 'Replies to this message do not reach the contact.';

/**
 * Replies of an organization that are passed on in one hour of the clock: a storm of them must not become a bill, fill the
 * daily cap of a carrier, or keep what users answer waiting. They are all in the conversations.
 */
export const mostForwarded = { sms: 60, email: 500 } as const;

/** What becomes of the so-many-eth reply of an hour: the first one too many is told of in its place. */
export function forwardingOf(count: number, most: number): 'reply' | 'notice' | 'nothing' {
  if (count <= most) return 'reply';
  return count === most + 1 ? 'notice' : 'nothing';
}

/** To the cell, instead of the first reply too many. */
export const tooManyForwarded = `More than ${mostForwarded.sms} replies have come within an hour: until the next one, read them in the conversations.\n${ending}`;

interface Reply {
  /** The contact's name, or number. */
  from: string;
  body: string;
  attachments: number;
}

/** Whether a text was passed on already: two cells that pass on to each other would never stop. */
export const isForwarded = (body: string): boolean => body.trimEnd().endsWith(ending);

/** Who wrote what, and that replies lead nowhere; what does not fit into three segments is cut. */
export function forwardedText({ from, body, attachments }: Reply): string {
  const media = attachments === 0 ? '' : ` [${attachments} ${attachments === 1 ? 'attachment' : 'attachments'}]`;
  const name = Array.from(from).slice(0, longestName).join('');
  const textOf = (said: string) => `From ${name}: ${said}${media}\n${ending}`;
  const whole = textOf(body);
  if (countSegments(whole).segments <= mostSegments) return whole;
  const characters = Array.from(body);
  // The longest beginning that fits: a longer text never takes fewer segments.
  let [fits, tooLong] = [0, characters.length];
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    const { segments } = countSegments(textOf(`${characters.slice(0, middle).join('')}...`));
    if (segments <= mostSegments) fits = middle;
    else tooLong = middle;
  }
  return textOf(`${characters.slice(0, fits).join('').trimEnd()}...`);
}
