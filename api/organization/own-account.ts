/** An organization that is registered already attaches its own Twilio account (A10): asked about first, then kept. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import type { Twilio } from 'twilio';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import {
  attachOwnAccount,
  findOrganization,
  lockOrganization,
  moduleState,
  organizationByAccount,
} from '../../db/organizations/organizations.ts';
import { hasRunningJobs } from '../../db/numbers/jobs.ts';
import { listNumbers } from '../../db/numbers/lines.ts';
import { forgetOrphans } from '../../db/numbers/orphans.ts';
import { registerAnew } from '../../db/numbers/registration.ts';
import { openRegistration } from '../../db/registration/registrations.ts';
import type { OrganizationRow } from '../../db/schema.ts';
import { segmentsPerSecond } from '../../domain/registration/throughput.ts';
import { messagingServiceSettings } from '../../twilio/messaging-service.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { conflict, type Problem, refused } from '../shared/problems.ts';
import { ask, notActive } from '../shared/twilio-answers.ts';
import { moduleSchema } from './module.ts';

const credentials = z.strictObject({
  accountSid: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/, 'must be an account SID: AC and 32 hexadecimal digits')
    .meta({ examples: ['AC0123456789abcdef0123456789abcdef'] }),
  authToken: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'must be an auth token: 32 hexadecimal digits')
    .meta({ examples: ['0123456789abcdef0123456789abcdef'] }),
  messagingServiceSid: z
    .string()
    .regex(/^MG[0-9a-f]{32}$/, 'must be the SID of a messaging service: MG and 32 hexadecimal digits')
    .meta({ examples: ['MG0123456789abcdef0123456789abcdef'] }),
});
type Credentials = z.infer<typeof credentials>;

const attached = moduleSchema
  .extend({ warnings: z.array(z.string()).meta({ description: 'What will keep messages from being delivered' }) })
  .meta({ id: 'AttachedAccount' });

const noSuchService = (): Problem =>
  refused('no_such_messaging_service', 'This account has no such messaging service: check its SID.');

/** @throws {Problem} 422 unless these are the credentials of an active account that has the service; 503 */
async function requireUsable(client: Twilio, { accountSid, messagingServiceSid }: Credentials): Promise<void> {
  const { status } = await ask(client.api.v2010.accounts(accountSid).fetch());
  if (status !== 'active') throw notActive(status);
  await ask(client.messaging.v1.services(messagingServiceSid).fetch(), noSuchService);
}

/** What the service's campaign allows; null when carriers have not approved one. */
async function throughputOf(client: Twilio, messagingServiceSid: string): Promise<number | null> {
  const campaigns = await ask(client.messaging.v1.services(messagingServiceSid).usAppToPerson.list({ limit: 20 }));
  const verified = campaigns.find(({ campaignStatus }) => campaignStatus === 'VERIFIED');
  if (!verified) return null;
  const brand = await ask(client.messaging.v1.brandRegistrations(verified.brandRegistrationSid).fetch());
  return segmentsPerSecond({ useCase: verified.usAppToPersonUsecase, brandScore: brand.brandScore ?? null });
}

const inUse = (): Problem =>
  refused('account_in_use', 'This account is attached elsewhere: each serves one organization.');

/** What another account than the organization's present one leaves behind; null when there is nothing to leave. */
async function leftBehind(trx: Trx, organizationId: string, accountSid: string): Promise<OrganizationRow | null> {
  const row = await findOrganization(trx, organizationId);
  return row && row.account_sid !== null && row.account_sid !== accountSid ? row : null;
}

/**
 * Locks the registration.
 *
 * @returns the organization as it is with the account that is replaced; null when none is
 * @throws {Problem} 409 while Longwave registers the organization itself, and while it has numbers in another account;
 * 422 for another's account
 */
async function requireAttachable(
  trx: Trx,
  request: FastifyRequest,
  accountSid: string,
): Promise<OrganizationRow | null> {
  const { database, clock } = request.server.deps;
  const organizationId = organizationOf(request);
  const { state } = await openRegistration(trx, organizationId, clock.now());
  if (state === 'submitted') {
    throw conflict('not-in-this-state', 'A registration is under way for this organization: cancel it first.', [
      'cancel',
    ]);
  }
  const owner = await organizationByAccount(database.system, accountSid);
  if (owner && owner.id !== organizationId) throw inUse();
  // Locked, so that no purchase is begun in the account that is left.
  await lockOrganization(trx, organizationId);
  const replaced = await leftBehind(trx, organizationId, accountSid);
  if (replaced) {
    if (await hasRunningJobs(trx, organizationId)) {
      throw conflict(
        'numbers-under-way',
        'Phone numbers are being bought or released in the present account: wait until GET /v1/numbers/jobs shows no run that is running, then attach the other account.',
      );
    }
    const [number] = await listNumbers(trx, organizationId, { limit: 1, orphan: false });
    if (number) {
      throw conflict(
        'has-numbers',
        `The organization has phone numbers (GET /v1/numbers) that belong to its present account ${replaced.account_sid}: another account cannot send from them, and replies to them, STOP included, would be lost. Have them released first, or attach the account that they are in.`,
      );
    }
  }
  return replaced;
}

/** For the audit log, so that somebody closes it. */
const accountLeft = (before: OrganizationRow) => ({
  accountSid: before.account_sid,
  messagingServiceSid: before.messaging_service_sid,
  madeByLongwave: !before.own_account,
  left: 'Open at Twilio, with its campaign and what that costs, and no longer used: close it there.',
});

async function attach(
  trx: Trx,
  request: FastifyRequest,
  { authToken, ...account }: Credentials,
  throughput: number | null,
): Promise<OrganizationRow> {
  const { secrets, clock } = request.server.deps;
  const organizationId = organizationOf(request);
  const before = await requireAttachable(trx, request, account.accountSid);
  const present = await findOrganization(trx, organizationId);
  if (present?.messaging_service_sid !== account.messagingServiceSid) await registerAnew(trx, organizationId);
  if (before) await forgetOrphans(trx, organizationId, clock.now());
  const kept = { ...account, authToken: secrets.encrypt(authToken), segmentsPerSecond: throughput };
  const row = await attachOwnAccount(trx, organizationId, kept, clock.now()).catch((error: unknown) => {
    // Attached by two organizations at the same moment.
    throw (error as { code?: unknown }).code === '23505' ? inUse() : error;
  });
  await audit(trx, request, 'module.account_attached', organizationId, {
    ...account,
    ...(before && { replaced: accountLeft(before) }),
  });
  return row;
}

const noCampaign =
  'This messaging service has no verified campaign: carriers will reject messages to the United States (30034).';

export const ownAccountRoutes: FastifyPluginAsyncZod = async (app) => {
  const { database, twilio, publicUrl } = app.deps;

  app.put(
    '/module/credentials',
    {
      config: { access: 'settings:manage' },
      schema: {
        tags: ['Module'],
        summary: 'Attach a Twilio account that is registered already',
        description: `The credentials are verified with Twilio before they are saved. The messaging service is set to deliver replies to
Longwave, so that an opt-out reaches it. An account that it replaces, one that Longwave registered included, stays open
at Twilio and is no longer used; that is refused with 409 while the organization has phone numbers in it.`,
        body: credentials,
        response: { 200: attached },
      },
    },
    async (request) => {
      const { body } = request;
      const organizationId = organizationOf(request);
      const client = twilio.client(body);
      await requireUsable(client, body);
      // Only who has the token is told whether the account is in use; and nothing is changed at Twilio in vain.
      await database.inOrganization(organizationId, (trx) => requireAttachable(trx, request, body.accountSid));
      const throughput = await throughputOf(client, body.messagingServiceSid);
      const service = client.messaging.v1.services(body.messagingServiceSid);
      await ask(service.update(messagingServiceSettings(publicUrl)));
      const row = await database.inOrganization(organizationId, (trx) => attach(trx, request, body, throughput));
      return { ...moduleState(row), warnings: throughput === null ? [noCampaign] : [] };
    },
  );
};
