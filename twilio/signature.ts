/** The check that a webhook comes from Twilio (I3). */
import twilio from 'twilio';

/**
 * Whether Twilio signed this form post with the account's token.
 *
 * @param url the full public address Twilio was given, query included, fragment not
 * @param form the posted fields as parsed
 */
export function isSignedByTwilio(
  authToken: string,
  signature: string | undefined,
  url: string,
  form: Record<string, unknown>,
): boolean {
  return signature !== undefined && twilio.validateRequest(authToken, signature, url, form);
}

/**
 * Whether Twilio signed this JSON post: it signs the address, which carries a hash of the body.
 *
 * @param url the full public address with its query, `bodySHA256` included
 * @param body as it arrived
 */
export function isJsonSignedByTwilio(
  authToken: string,
  signature: string | undefined,
  url: string,
  body: Buffer,
): boolean {
  return signature !== undefined && twilio.validateRequestWithBody(authToken, signature, url, body.toString('utf8'));
}
