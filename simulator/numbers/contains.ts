/** Patterns of the `Contains` filter. */
import { invalidParameter } from '../http/errors.ts';

/** Meta-characters only at the ends, one kind at each: `*` one digit, `%` several, `+` the beginning, `$` the end. */
const SHAPE = /^(?<start>\+|\**|%*)(?<text>[0-9a-z]*)(?<end>\$|\**|%*)$/i;
const MIN_LENGTH = 2;
const MAX_LENGTH = 16;
/** What a pattern with `*` or `%` has besides. */
const MIN_TEXT = 2;

/** A to Z on the keys of a phone. */
const KEYS = '22233344455566677778889999';

const digitOf = (letter: string) => KEYS[letter.toUpperCase().charCodeAt(0) - 'A'.charCodeAt(0)] ?? '';
const digitsFor = (wildcards: string) => wildcards.replaceAll('*', String.raw`\d`).replaceAll(/%+/g, String.raw`\d*`);

/**
 * A matcher of numbers in E.164: those that have the pattern anywhere, unless `+` or `$` says where.
 *
 * @throws {TwilioError} 20001 for what Twilio's description of `Contains` does not allow
 * @see the description in twilio_api_v2010.json
 */
export function containsMatcher(pattern: string): (phoneNumber: string) => boolean {
  if (pattern.length < MIN_LENGTH || pattern.length > MAX_LENGTH) {
    throw invalidParameter(`Contains should be ${MIN_LENGTH} to ${MAX_LENGTH} characters`);
  }
  const parts = SHAPE.exec(pattern)?.groups;
  if (parts === undefined) {
    throw invalidParameter('Contains should be digits and letters, with * or % or + before them and * or % or $ after');
  }
  const { start = '', text = '', end = '' } = parts;
  if (/[*%]/.test(pattern) && text.length < MIN_TEXT) {
    throw invalidParameter(`Contains should have ${MIN_TEXT} digits or letters beside * and %`);
  }
  const digits = text.replaceAll(/[a-z]/gi, digitOf);
  const before = start === '+' ? String.raw`^\+` : digitsFor(start);
  const expression = new RegExp(before + digits + (end === '$' ? '$' : digitsFor(end)));
  return (phoneNumber) => expression.test(phoneNumber);
}
