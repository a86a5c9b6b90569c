/** Phone numbers: any common form in, E.164 out. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

export type ParsedPhone =
  | { status: 'valid'; number: string }
  | { status: 'invalid'; number: string }
  | { status: 'extension' }
  | { status: 'not_a_number' };

/** What address books and spreadsheets put around numbers, and nobody sees. */
const invisible = /[\u200B-\u200F\u202A-\u202E\u2060\u2066-\u2069\uFEFF]/g;
/** The hyphens, dashes and the minus that word processors write. */
const dashes = /[\u2010-\u2015\u2212]/g;
const extension = /[\s,;]*(?:\bext(?:ension)?\b\.?|x|#)\s*\d{1,7}$/i;
/** Area codes and exchanges of the North American plan never begin with 0 or 1. */
const northAmerican = /^\+1[2-9]\d{2}[2-9]\d{6}$/;

const looksLikeNumber = (text: string): boolean =>
  /^\+?[\d\s().\-/]{2,30}$/.test(text) && /\d{2}/.test(text.replaceAll(/\D/g, ''));

/**
 * Reads a number as written in the United States or Canada unless it starts with `+`.
 *
 * `invalid` are digits in the shape of a number that no number can have (too short, no such country, an area code that
 * begins with 0): they are kept as they were given, and never texted. Only the length is judged beyond that: the metadata
 * lags behind new area codes. `extension` is a number with one, which neither texts nor forwarded calls can reach.
 */
export function parsePhone(text: string): ParsedPhone {
  const given = text.replaceAll(invisible, '').replaceAll(dashes, '-').trim();
  if (!looksLikeNumber(given)) {
    const base = given.replace(extension, '');
    return { status: base !== given && looksLikeNumber(base) ? 'extension' : 'not_a_number' };
  }
  const parsed = parsePhoneNumberFromString(given, 'US');
  const isNumber = parsed?.isPossible() && (parsed.countryCallingCode !== '1' || northAmerican.test(parsed.number));
  return parsed && isNumber ? { status: 'valid', number: parsed.number } : { status: 'invalid', number: given };
}
