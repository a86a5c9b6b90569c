/** Phone numbers: any common form in, E.164 out. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

export type ParsedPhone =
  { status: 'valid'; number: string } | { status: 'invalid'; number: string } | { status: 'not_a_number' };

/**
 * Reads a number as written in the United States or Canada unless it starts with `+`.
 *
 * `invalid` are digits in the shape of a number that no number can have (too short, no such country): they are kept as
 * they were given, and never texted. Only the length is judged beyond that: the metadata lags behind new area codes.
 */
export function parsePhone(text: string): ParsedPhone {
  const given = text.trim();
  if (!/^\+?[\d\s().\-/]{2,30}$/.test(given) || !/\d{2}/.test(given.replaceAll(/\D/g, '')))
    return { status: 'not_a_number' };
  const parsed = parsePhoneNumberFromString(given, 'US');
  return parsed?.isPossible() ? { status: 'valid', number: parsed.number } : { status: 'invalid', number: given };
}
