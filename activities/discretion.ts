/** What Temporal keeps of a failure, and shows in its Web UI: never Twilio's words, which may repeat what was sent. */
import { ApplicationFailure } from '@temporalio/common';

// oxlint-disable-next-line typescript/no-explicit-any -- any activities, whatever they take
type Activities = Record<string, (...given: any[]) => Promise<unknown>>;

/** The same activities; of an error of Twilio's only its numbers are told. */
export function withoutWords<A extends Activities>(activities: A): A {
  const discreet = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...given: unknown[]) => {
      try {
        return await activity(...given);
      } catch (error) {
        const { status, code } = error as { status?: unknown; code?: unknown };
        if (error instanceof ApplicationFailure || typeof status !== 'number') throw error;
        const message = `Twilio answers ${status}${typeof code === 'number' ? ` (${code})` : ''}.`;
        throw ApplicationFailure.create({ message, type: 'TwilioError', details: [{ status, code }] });
      }
    },
  ]);
  return Object.fromEntries(discreet) as A;
}
