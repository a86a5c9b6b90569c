/** Webhooks out: what is told, and how long it is tried (G4). */

/** The types of the live events. */
export const webhookEventTypes = [
  'message.received',
  'message.updated',
  'mass_sms.updated',
  'registration.updated',
  'notification.created',
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

export const deliveryStates = ['waiting', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** `requested`: by the organization; `gone`: it answered 410; `failing`: nothing got through for days. */
export const offReasons = ['requested', 'gone', 'failing'] as const;
export type OffReason = (typeof offReasons)[number];

const minute = 60_000;
const day = 24 * 60 * minute;

/** The first pause after a failure; each further one is three times as long, up to the longest. */
const firstPauseMs = 5_000;
const longestPauseMs = 60 * minute;
/** Pauses are longer or shorter by up to so much of themselves, so that receivers are not all called at once. */
const jitter = 0.2;
/** After one was given up: soon, for what follows may get through, but not at once, for it may not. */
const pauseAfterGivingUpMs = minute;

/** A delivery is tried for so long, then it has failed. */
export const triedForMs = 3 * day;
/** When nothing got through for so long, the endpoint is switched off. */
export const offAfterMs = 5 * day;
/** The log of deliveries reaches back so far. */
export const keptForMs = 30 * day;

/**
 * How long nothing is tried after a failure.
 *
 * @param failures in a row, this one included
 * @param chance from 0 up to 1
 */
export function pauseAfter(failures: number, chance: number): number {
  const pause = Math.min(longestPauseMs, firstPauseMs * 3 ** (failures - 1));
  return Math.round(pause * (1 - jitter + 2 * jitter * chance));
}

export interface Failing {
  failures: number;
  /** Since when nothing got through; null when something has since. */
  failingSince: Date | null;
  /** When the delivery was made that was tried. */
  createdAt: Date;
  now: Date;
  chance: number;
}

interface Consequence {
  failures: number;
  failingSince: Date;
  nextAttemptAt: Date;
  /** The delivery is not tried any more. What waits behind it is, however old. */
  isGivenUp: boolean;
  isOff: boolean;
}

/** What follows from an attempt that failed. */
export function afterFailure({ failures, failingSince, createdAt, now, chance }: Failing): Consequence {
  const since = failingSince ?? now;
  const isGivenUp = now.getTime() - createdAt.getTime() >= triedForMs;
  const pauseMs = isGivenUp ? pauseAfterGivingUpMs : pauseAfter(failures + 1, chance);
  return {
    failures: failures + 1,
    failingSince: since,
    nextAttemptAt: new Date(now.getTime() + pauseMs),
    isGivenUp,
    isOff: now.getTime() - since.getTime() >= offAfterMs,
  };
}
