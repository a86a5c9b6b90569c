/** The end of a registration: the organization can send, or its registration was cancelled. */
import { addToTimeline, moveMessagingService, setState } from '../../db/registration/registrations.ts';
import { unregisteredNumbers } from '../../db/numbers/registration.ts';
import { moduleState } from '../../db/organizations/organizations.ts';
import { segmentsPerSecond } from '../../domain/registration/throughput.ts';
import { isFinalState } from '../../domain/registration/status.ts';
import { orNull } from '../../twilio/errors.ts';
import { attachNumber } from '../numbers/attach.ts';
import { tellOfChange } from './notices.ts';
import {
  openRegistration,
  type OrganizationRef,
  readRegistration,
  type Registration,
  type RegistrationDeps,
  sidOf,
  subaccountOf,
} from './deps.ts';

type Cancellation = OrganizationRef & { actor: string; cancelledAt: string };

export function createCompletionActivities(deps: RegistrationDeps) {
  const { database, clock } = deps;

  /** What the registry thinks of the brand, by which carriers set its pace; null for one without secondary vetting. */
  async function scoreOf(registration: Registration): Promise<number | null> {
    const { brandRegistrations } = subaccountOf(deps, registration).messaging.v1;
    const brand = await orNull(brandRegistrations(sidOf(registration, 'brand')).fetch());
    return brand?.brandScore ?? null;
  }

  return {
    /**
     * Puts the numbers that were bought before the approval into the messaging service: carriers learn of them by that
     * (B4). One that Twilio does not take (it is gone, or in another service) stays unregistered and holds up nothing.
     */
    async registerNumbers({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const registration = await openRegistration(deps, organizationId);
      const client = subaccountOf(deps, registration);
      const messagingServiceSid = sidOf(registration, 'messaging_service');
      const numbers = await database.inOrganization(organizationId, (trx) => unregisteredNumbers(trx, organizationId));
      for (const number of numbers) await attachNumber(deps, client, { organizationId, number, messagingServiceSid });
    },

    /** Saves what sending needs (A8): a module that was waiting for it is enabled by that. */
    async completeRegistration({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const brandScore = await scoreOf(await openRegistration(deps, organizationId));
      await database.inOrganization(organizationId, async (trx) => {
        const registration = await readRegistration(trx, organizationId, { lock: true });
        const { row, intake } = registration;
        if (isFinalState(row.state)) return;
        const at = clock.now();
        const organization = await trx
          .updateTable('organizations')
          .set({
            messaging_service_sid: sidOf(registration, 'messaging_service'),
            segments_per_second: segmentsPerSecond({ useCase: intake.useCase, brandScore }),
            updated_at: at,
          })
          .where('id', '=', organizationId)
          .returningAll()
          .executeTakeFirstOrThrow();
        await moveMessagingService(trx, row, {
          status: 'registered',
          actor: 'carriers',
          detail: 'The messaging service is registered with the carriers.',
          awaiting: 'nobody',
          at,
        });
        await setState(trx, row, 'completed', at);
        const isEnabled = moduleState(organization).state === 'enabled';
        const detail = isEnabled
          ? 'The registration is complete and the SMS module is enabled: messages can be sent.'
          : 'The registration is complete. Messages can be sent once the SMS module is enabled.';
        const awaiting = isEnabled ? 'nobody' : 'organization';
        await addToTimeline(trx, {
          organizationId,
          subject: 'registration',
          event: 'completed',
          actor: 'longwave',
          detail,
          awaiting,
          at,
        });
        const next = isEnabled ? 'send the first message.' : 'enable the SMS module.';
        await tellOfChange(trx, deps, registration, { key: 'completed', at, what: detail, next });
      });
      deps.sendEmails(organizationId);
    },

    /**
     * Ends the waiting. What exists at Twilio stays, and is found again when it is submitted anew.
     *
     * @param cancelledAt RFC 3339: a registration that was submitted again since is another matter
     */
    async cancelRegistration({ organizationId, actor, cancelledAt }: Cancellation): Promise<void> {
      await clock.sync();
      await database.inOrganization(organizationId, async (trx) => {
        const { row } = await readRegistration(trx, organizationId, { lock: true });
        if (isFinalState(row.state) || (row.submitted_at && row.submitted_at > new Date(cancelledAt))) return;
        const at = clock.now();
        await setState(trx, row, 'cancelled', at);
        await addToTimeline(trx, {
          organizationId,
          subject: 'registration',
          event: 'cancelled',
          actor,
          detail:
            'The registration was cancelled. What exists at Twilio stays there and is used when it is submitted again.',
          awaiting: 'organization',
          at,
        });
      });
    },
  };
}
