/** What a contact answers to an opt-in request (C2). */
import type { Keyword } from './keywords.ts';

const yes = new Set(['yes', 'y', 'oui', 'start']);

/**
 * Whether a message is a YES and nothing else: case, accents, punctuation and pictures do not matter. Narrow on purpose:
 * `yes please call me` is a conversation, which a person reads, and no proof of consent.
 */
export function isYes(body: string): boolean {
  const plain = body
    .normalize('NFD')
    .replaceAll(/[^\p{L}\p{N}\s]/gu, '')
    .trim()
    .toLowerCase();
  return yes.has(plain);
}

/** What a message answers to an opt-in request, if one waits: START is a YES in Twilio's words. */
export function answerIn(body: string, keyword: Keyword | null): 'yes' | 'stop' | null {
  if (keyword === 'stop') return 'stop';
  return keyword === 'start' || (keyword === null && isYes(body)) ? 'yes' : null;
}
