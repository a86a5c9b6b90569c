/** The organization's own account at Twilio, and the events it sends us. */
import { log } from '@temporalio/activity';
import type { Db } from '../../db/database.ts';
import { addToTimeline } from '../../db/registration/registrations.ts';
import { takeSubaccountName } from '../../db/registration/subaccount-names.ts';
import { forgetResource } from '../../db/registration/resources.ts';
import { refusalOf } from '../../twilio/errors.ts';
import { brandEvents, campaignEvents } from '../../twilio/events.ts';
import { nameAtTwilio, openRegistration, type OrganizationRef, type RegistrationDeps, subaccountOf } from './deps.ts';
import { foundOrCreated } from './found-or-created.ts';

/** What wakes a workflow. What events say beyond that is not believed: the resource is fetched. */
const eventTypes = [
  `${brandEvents}brand-registered`,
  `${brandEvents}brand-failure`,
  `${brandEvents}brand-verified`,
  `${brandEvents}brand-unverified`,
  `${brandEvents}brand-vetted-verified`,
  `${brandEvents}brand-secondary-vetting-failure`,
  `${brandEvents}email-2fa-clicked`,
  `${campaignEvents}campaign-submitted`,
  `${campaignEvents}campaign-approved`,
  `${campaignEvents}campaign-failure`,
];

/** The organization that has this account, or is about to. */
async function ownerOf(system: Db, accountSid: string): Promise<string | null> {
  const attached = await system
    .selectFrom('organizations')
    .select('id')
    .where('account_sid', '=', accountSid)
    .executeTakeFirst();
  if (attached) return attached.id;
  const recorded = await system
    .selectFrom('registration_resources')
    .select('organization_id')
    .where('kind', '=', 'account')
    .where('sid', '=', accountSid)
    .executeTakeFirst();
  return recorded?.organization_id ?? null;
}

export function createSubaccountActivities(deps: RegistrationDeps) {
  const { database, clock, secrets, twilio, operator, publicUrl } = deps;
  const main = () => twilio.client(operator);

  /** An account by this name that no other organization has. */
  async function findFree(organizationId: string, names: readonly string[]): Promise<string | undefined> {
    for (const friendlyName of names) {
      for (const { sid } of await main().api.v2010.accounts.list({ friendlyName, status: 'active', limit: 100 })) {
        if (sid === operator.accountSid) continue;
        const owner = await ownerOf(database.system, sid);
        if (owner === null || owner === organizationId) return sid;
      }
    }
    return undefined;
  }

  return {
    /** One subaccount per organization (A3): looked for by its name and domain, then made; its token is kept encrypted. */
    async ensureSubaccount({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const { organization } = await openRegistration(deps, organizationId);
      if (organization.account_sid !== null) return;
      const name = await takeSubaccountName(database.system, organization);
      const sid = await foundOrCreated(deps, {
        organizationId,
        kind: 'account',
        find: () => findFree(organizationId, [name, organization.domain]),
        create: async () => (await main().api.v2010.accounts.create({ friendlyName: name })).sid,
      });
      const { authToken } = await main().api.v2010.accounts(sid).fetch();
      await database.inOrganization(organizationId, async (trx) => {
        const at = clock.now();
        const { numUpdatedRows } = await trx
          .updateTable('organizations')
          .set({ account_sid: sid, auth_token: secrets.encrypt(authToken), updated_at: at })
          .where('id', '=', organizationId)
          // One that was attached meanwhile stays.
          .where('account_sid', 'is', null)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return;
        await addToTimeline(trx, {
          organizationId,
          subject: 'registration',
          event: 'subaccount_ready',
          actor: 'longwave',
          detail: `The organization has the Twilio subaccount "${name}".`,
          awaiting: 'twilio',
          at,
        });
      });
    },

    /** Has Twilio tell us of changes, once per subaccount. Without it polling alone goes on, so a refusal is no failure. */
    async ensureEventStream({ organizationId }: OrganizationRef): Promise<void> {
      await clock.sync();
      const registration = await openRegistration(deps, organizationId);
      const { sinks, subscriptions } = subaccountOf(deps, registration).events.v1;
      const description = nameAtTwilio(registration, 'registration events');
      try {
        const sinkSid = await foundOrCreated(deps, {
          organizationId,
          kind: 'event_sink',
          find: async () => (await sinks.list({ limit: 100 })).find((sink) => sink.description === description)?.sid,
          create: async () => {
            const destination = `${publicUrl}/twilio/events`;
            const sinkConfiguration = { destination, method: 'POST', batch_events: true };
            return (await sinks.create({ description, sinkType: 'webhook', sinkConfiguration })).sid;
          },
        });
        await foundOrCreated(deps, {
          organizationId,
          kind: 'event_subscription',
          find: async () => (await subscriptions.list({ sinkSid, limit: 1 }))[0]?.sid,
          create: async () => {
            const types = eventTypes.map((type) => ({ type, schema_version: 1 }));
            return (await subscriptions.create({ description, sinkSid, types })).sid;
          },
        });
      } catch (error) {
        const refusal = refusalOf(error);
        if (!refusal) throw error;
        log.warn('Twilio refused to send events: the registration is followed by polling', { code: refusal.code });
        await database.inOrganization(organizationId, (trx) =>
          forgetResource(trx, organizationId, 'event_subscription'),
        );
      }
    },
  };
}
