/** How the workflows of a registration call their activities. */
import { ActivityCancellationType, ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type { RegistrationActivities } from '../activities/registration/activities.ts';
import { refusedByTwilio } from '../domain/registration/status.ts';

/**
 * Safe to repeat: each looks for what it would make, or finds the state already reached. What Twilio refuses fails at
 * once and for good; anything else (Twilio away, wrong credentials of the operator) is tried for a month, which is long
 * enough for a person to mend it.
 */
export const registrationActivities = proxyActivities<RegistrationActivities>({
  startToCloseTimeout: '3m',
  heartbeatTimeout: '15s',
  scheduleToCloseTimeout: '30d',
  // A step under way is over within seconds, and what it made is then on record.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

/** What an activity refused, as a command's own refusal; other errors as they are. */
export function unwrapped(error: unknown): unknown {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof ApplicationFailure ? cause : error;
}

/** Whether Twilio refused what was submitted: the reasons are in Postgres, and somebody has to correct it. */
export function isRefused(error: unknown): boolean {
  const cause = unwrapped(error);
  return cause instanceof ApplicationFailure && cause.type === refusedByTwilio;
}
