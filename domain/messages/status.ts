/** The states of a message and their order. A message only ever moves to a state of higher rank. */

export const messageStatuses = [
  'held',
  'scheduled',
  'queued',
  'sending',
  'in_doubt',
  'accepted',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'cancelled',
  'receiving',
  'received',
] as const;
export type MessageStatus = (typeof messageStatuses)[number];

/**
 * How far along a message is. Reports arrive late, twice and out of order; only one of higher rank counts.
 * The final states share a rank, so the first of them to arrive stands.
 */
export const statusRank: Readonly<Record<MessageStatus, number>> = {
  held: 0,
  scheduled: 1,
  queued: 2,
  sending: 3,
  in_doubt: 4,
  accepted: 5,
  sent: 6,
  delivered: 7,
  undelivered: 7,
  failed: 7,
  cancelled: 7,
  receiving: 1,
  received: 7,
};

/** Our state for Twilio's word for a message, or null for words that say nothing new. */
export function statusFromTwilio(word: string): MessageStatus | null {
  switch (word) {
    case 'accepted':
    case 'scheduled':
    case 'queued':
    case 'sending':
      return 'accepted';
    case 'sent':
    case 'partially_delivered':
      return 'sent';
    case 'delivered':
    case 'read':
      return 'delivered';
    case 'undelivered':
      return 'undelivered';
    case 'failed':
      return 'failed';
    case 'canceled':
      return 'cancelled';
    case 'receiving':
    case 'received':
      return word;
    default:
      return null;
  }
}
