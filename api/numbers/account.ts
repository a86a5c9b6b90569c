/** The organization's own account at Twilio: where its numbers are searched and bought. */
import type { FastifyRequest } from 'fastify';
import type { Twilio } from 'twilio';
import type { Trx } from '../../db/database.ts';
import { findOrganization } from '../../db/organizations/organizations.ts';
import type { OrganizationRow } from '../../db/schema.ts';
import { organizationOf } from '../shared/auth.ts';
import { conflict, notFound } from '../shared/problems.ts';

/** @throws {Problem} 409 for an organization without an account */
export async function requireAccount(
  trx: Trx,
  organizationId: string,
): Promise<{ organization: OrganizationRow; accountSid: string; authToken: string }> {
  const organization = await findOrganization(trx, organizationId);
  if (!organization) throw notFound('organization');
  const { account_sid: accountSid, auth_token: authToken } = organization;
  if (accountSid !== null && authToken !== null) return { organization, accountSid, authToken };
  throw conflict(
    'no-account',
    'This organization has no Twilio account yet: submit its registration (POST /v1/registration/submit), which makes one, or attach its own (PUT /v1/module/credentials).',
  );
}

/** @throws {Problem} 409 for an organization without an account */
export async function accountOf(request: FastifyRequest): Promise<{ organization: OrganizationRow; client: Twilio }> {
  const { database, secrets, twilio } = request.server.deps;
  const organizationId = organizationOf(request);
  const { organization, accountSid, authToken } = await database.inOrganization(organizationId, (trx) =>
    requireAccount(trx, organizationId),
  );
  return { organization, client: twilio.client({ accountSid, authToken: secrets.decrypt(authToken) }) };
}
