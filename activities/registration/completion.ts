/** The end of a registration: the organization can send, or its registration was cancelled. */
import { log } from '@temporalio/activity';
import { addToTimeline, moveMessagingService, setState } from '../../db/registration/registrations.ts';
import { moduleState } from '../../db/organizations.ts';
import { segmentsPerSecond } from '../../domain/registration/throughput.ts';
import { isFinalState } from '../../domain/registration/status.ts';
import { tellOfChange } from './notices.ts';
import {
  openRegistration,
  type OrganizationRef,
  readRegistration,
  type RegistrationDeps,
  sidOf,
  subaccountOf,
} from './deps.ts';

/** Twilio: the number is in this service already. */
const alreadyInService = 21710;

type Cancellation = OrganizationRef & { actor: string; cancelledAt: string };

export function createCompletionActivities(deps: RegistrationDeps) {
  const { database, clock } = deps;
  return {
    /**
     * Puts the numbers that were bought before the approval into the messaging service: carriers learn of them by that
     * (B4). One that Twilio does not take (it is gone, or in another service) stays unregistered and holds up nothing.
     */
    async registerNumbers({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const registration = await openRegistration(deps, organizationId);
      const service = subaccountOf(deps, registration).messaging.v1.services(sidOf(registration, 'messaging_service'));
      const numbers = await database.inOrganization(organizationId, (trx) =>
        trx
          .selectFrom('phone_numbers')
          .select(['id', 'twilio_sid'])
          .where('organization_id', '=', organizationId)
          .where('registered', '=', false)
          .where('released_at', 'is', null)
          .execute(),
      );
      for (const number of numbers) {
        try {
          await service.phoneNumbers.create({ phoneNumberSid: number.twilio_sid });
        } catch (error) {
          const { status = 0, code } = error as { status?: number; code?: number };
          if (status < 400 || status >= 500 || status === 401 || status === 429) throw error;
          if (code !== alreadyInService) {
            log.warn('a number could not be registered', { numberId: number.id, code });
            continue;
          }
        }
        await database.inOrganization(organizationId, (trx) =>
          trx.updateTable('phone_numbers').set({ registered: true }).where('id', '=', number.id).execute(),
        );
      }
    },

    /** Saves what sending needs (A8): a module that was waiting for it is enabled by that. */
    async completeRegistration({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      await database.inOrganization(organizationId, async (trx) => {
        const registration = await readRegistration(trx, organizationId, { lock: true });
        const { row, intake } = registration;
        if (isFinalState(row.state)) return;
        const at = clock.now();
        const organization = await trx
          .updateTable('organizations')
          .set({
            messaging_service_sid: sidOf(registration, 'messaging_service'),
            segments_per_second: segmentsPerSecond({ useCase: intake.useCase, brandScore: null }),
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
