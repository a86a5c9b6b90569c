/** The `X-Twilio-Signature` header. */
import { createHmac } from 'node:crypto';

/** Form fields in the order they are sent. */
export type Fields = [name: string, value: string][];

/**
 * Base64 of HMAC-SHA1 with the account's auth token, over the URL (with query, without fragment) and every field of a POST, sorted by
 * name, name and value run together.
 *
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export function signature(authToken: string, url: string, fields: Fields): string {
  let text = url;
  for (const [name, value] of fields.toSorted(([a], [b]) => (a < b ? -1 : 1))) text += name + value;
  return createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
}

/** `application/x-www-form-urlencoded`. */
export function encodeForm(fields: Fields): string {
  let text = '';
  for (const [name, value] of fields) {
    text += `${text === '' ? '' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return text;
}
