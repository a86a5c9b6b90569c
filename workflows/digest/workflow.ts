/**
 * An organization's daily digest: sleeps until it is due, has it sent, and ends when nothing waits for the next one. It
 * knows neither the users nor what they are told, and no time zone: an activity says when the digest is due.
 */
import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import type { DigestActivities } from '../../activities/digest.ts';
import { workWhenDue } from '../work-when-due/loop.ts';
import type { DigestInput } from './messages.ts';

// Safe to repeat: what an earlier attempt has put into an email waits no more.
const { sendDigest } = proxyActivities<DigestActivities>({
  startToCloseTimeout: '70s',
  scheduleToCloseTimeout: '30d',
  retry: { initialInterval: '1s', maximumInterval: '60s' },
});

export function digest(input: DigestInput): Promise<void> {
  return workWhenDue({
    work: () => sendDigest(input),
    continueAsNew: () => continueAsNew<typeof digest>(input),
    leastPauseMs: 1_000,
  });
}
