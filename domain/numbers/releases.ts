/** Releasing phone numbers, in words for people. */
import { allowedActions, type MassSmsStatus } from '../mass-sms/mass-sms.ts';

/** What must be sent to say that a release is meant. */
export const releaseConfirmation = 'irreversible';

const namedAtMost = 5;

/** Why numbers cannot be released that are the last line of mass SMS, and what to do. */
export function wouldLeaveWithoutLine(massSms: readonly { id: string; name: string; status: MassSmsStatus }[]): string {
  const named = massSms.slice(0, namedAtMost).map(({ id, name }) => `"${name}" (${id})`);
  const more = massSms.length > namedAtMost ? ` and ${massSms.length - namedAtMost} more` : '';
  const [it, its] = massSms.length === 1 ? ['it', 'its'] : ['them', 'their'];
  const mayCancel = massSms.every(({ status }) => allowedActions(status).includes('cancel'));
  const remedy = `add a registered number to ${its} pool first.`;
  return (
    `No line would be left to send the mass SMS ${named.join(', ')}${more} from: ` +
    (mayCancel ? `cancel ${it} (POST /v1/mass-sms/{id}/cancel), or ${remedy}` : remedy)
  );
}
