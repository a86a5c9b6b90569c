/** What Twilio's error codes mean for us. Source: Twilio's error dictionary; unknown codes fall into the default branch. */

/**
 * - `recipient`: this message will never go to this number; the next ones may.
 * - `configuration`: nothing will go out until a person has changed something.
 * - `later`: Twilio did not take it; the same request may work in a while.
 */
export type ErrorClass = 'recipient' | 'configuration' | 'later';

const configuration = new Set([20003, 20005, 20008, 20404, 21606, 21212, 21603, 21703, 21705]);
const later = new Set([20429, 21611, 14107]);

/** How to treat a refused request. A code we do not know concerns the one message, so that one oddity stops nobody else. */
export function classifyRefusal(httpStatus: number, code: number | undefined): ErrorClass {
  if (httpStatus === 429 || (code !== undefined && later.has(code))) return 'later';
  if (httpStatus === 401 || httpStatus === 403 || httpStatus === 404) return 'configuration';
  return code !== undefined && configuration.has(code) ? 'configuration' : 'recipient';
}

/** The number cannot receive SMS, now or later: a contact with it is not matched again. */
export const isDeadNumber = (code: number): boolean => [21211, 21614, 21635, 30005, 30006].includes(code);

/** Twilio blocks the message because the contact replied STOP: our own list has missed it. */
export const optedOutCode = 21610;
export const isOptedOut = (code: number): boolean => code === optedOutCode;

/** It waited in a queue until the validity period that we gave it had run out: the fault is ours. */
export const expiredCode = 30036;

/** Failures that say nothing of a list or of a text. */
export const blamelessCodes: readonly number[] = [optedOutCode, expiredCode];

/** A carrier took the text for spam: content and reputation, and nothing about the number. */
export const filteredCode = 30007;

/** The carrier a code is about, where it is about one: Twilio's reports name none. */
export const carrierOf = (code: number): string | null => (code === 30023 ? 'T-Mobile' : null);

/** Nothing can be sent from this one line: others of the organization may be well. */
export const concernsLine = (code: number): boolean => [21606, 21212].includes(code);

/** Reported of a message after Twilio had accepted it, and true of every other message of the account or campaign too. */
const stopping: Readonly<Record<number, string>> = {
  30002: 'The Twilio account is suspended.',
  30033: 'The A2P campaign is suspended.',
  30037: 'Outbound messages are disabled for the Twilio account.',
};

/** Why nothing more can be sent until a person acts, or null for a code that concerns the one message. */
export const stoppingReason = (code: number): string | null => stopping[code] ?? null;
