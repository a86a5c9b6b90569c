/** The words Twilio gives to the error codes that a message ends with. */

const WORDS: Record<number, string> = {
  21610: 'Attempt to send to unsubscribed recipient',
  21703: 'The Messaging Service contains no phone numbers',
  30001: 'Queue overflow',
  30002: 'Account suspended',
  30003: 'Unreachable destination handset',
  30004: 'Message blocked',
  30005: 'Unknown destination handset',
  30006: 'Landline or unreachable carrier',
  30007: 'Carrier violation',
  30008: 'Unknown error',
  30022: 'US A2P 10DLC - Rate Limits Exceeded',
  30023: 'US A2P 10DLC - Daily Message Cap Reached',
  30024: 'Numeric Sender ID Not Provisioned on Carrier',
  30033: 'US A2P 10DLC - Campaign Suspended',
  30034: 'US A2P 10DLC - Message from an Unregistered Number',
  30036: 'Validity period expired',
};

/** What an error code means. */
export function errorMessage(code: number): string {
  return WORDS[code] ?? 'Unknown error';
}
