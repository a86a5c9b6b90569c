/** The organization's SMS module: whether it is on, what is missing, and switching it. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { findOrganization, moduleState, switchModule } from '../../db/organizations/organizations.ts';
import { findRegistration } from '../../db/registration/registrations.ts';
import type { OrganizationRow } from '../../db/schema.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf } from '../shared/auth.ts';
import { command } from '../shared/idempotency.ts';
import { conflict, notFound, refused } from '../shared/problems.ts';

export const moduleSchema = z
  .object({
    state: z.enum(['disabled', 'pending_setup', 'enabled']),
    missing: z
      .array(z.string())
      .meta({ description: 'What sending still needs', examples: [['region', 'messagingServiceSid']] }),
  })
  .meta({ id: 'Module' });

/** What the organization must have before its module is on (A11), by the names of the API's fields. */
const detailsOf = ({ country, region, organization_number: organizationNumber }: OrganizationRow) => ({
  country,
  region,
  organizationNumber,
});

const missingDetails = (row: OrganizationRow): string[] =>
  Object.entries(detailsOf(row)).flatMap(([name, value]) => (value === null ? [name] : []));

const hasAccount = ({ account_sid: sid, auth_token: token, messaging_service_sid: service }: OrganizationRow) =>
  sid !== null && token !== null && service !== null;

const setThem = (row: OrganizationRow, missing: readonly string[]): string =>
  `have the operator set ${missing.join(', ')} with PATCH /v1/organizations/${row.id}`;

/** What is left to do before the organization can send, and which of it can be done now. */
async function stepsLeft(trx: Trx, row: OrganizationRow): Promise<{ steps: string[]; allowed: string[] }> {
  const steps: string[] = [];
  const allowed: string[] = [];
  const missing = missingDetails(row);
  if (!row.module_on) {
    if (missing.length > 0) steps.push(setThem(row, missing));
    else allowed.push('POST /v1/module/enable');
    steps.push('switch the module on with POST /v1/module/enable');
  }
  if (hasAccount(row)) return { steps, allowed };
  const registration = await findRegistration(trx, row.id);
  if (registration?.state === 'submitted') {
    steps.push('wait for its registration, which is under way (GET /v1/registration says what is awaited)');
  } else {
    steps.push(
      'submit its registration (POST /v1/registration/submit), or attach an account that is registered already (PUT /v1/module/credentials)',
    );
    allowed.push('POST /v1/registration/submit', 'PUT /v1/module/credentials');
  }
  return { steps, allowed };
}

/** @throws {Problem} 409 that says what is left to do and how, unless the organization can send */
export async function requireEnabled(trx: Trx, organizationId: string): Promise<void> {
  const row = await findOrganization(trx, organizationId);
  if (!row) throw notFound('organization');
  const { state: current } = moduleState(row);
  if (current === 'enabled') return;
  const { steps, allowed } = await stepsLeft(trx, row);
  throw conflict(
    'not-enabled',
    `The SMS module is ${current.replace('_', ' ')}: nothing can be sent yet. Left to do: ${steps.join('; ')}.`,
    allowed,
  );
}

/** @throws {Problem} 422 that names what the organization must have before its module is on (A11) */
function requireDetails(row: OrganizationRow): void {
  const missing = missingDetails(row);
  if (missing.length === 0) return;
  throw refused(
    'details_missing',
    `The organization lacks ${missing.join(', ')}: ${setThem(row, missing)}, then enable the module.`,
    { missing },
  );
}

/** @throws {Problem} 409 for what would take from an organization whose module is on what that needs (A11) */
export function requireKept(row: OrganizationRow, changes: object): void {
  const cleared = Object.entries(changes).flatMap(([name, value]) =>
    value === null && name in detailsOf(row) ? [name] : [],
  );
  if (!row.module_on || cleared.length === 0) return;
  throw conflict(
    'module-on',
    `The SMS module of this organization is on, and needs ${cleared.join(', ')}: send another value, or disable the module first (POST /v1/module/disable).`,
    ['POST /v1/module/disable'],
  );
}

async function change(trx: Trx, request: FastifyRequest, on: boolean) {
  const organizationId = organizationOf(request);
  const row = await findOrganization(trx, organizationId);
  if (!row) throw notFound('organization');
  if (on) requireDetails(row);
  if (row.module_on === on) return moduleState(row);
  await audit(trx, request, on ? 'module.enabled' : 'module.disabled', organizationId);
  const switched = await switchModule(trx, organizationId, on, request.server.deps.clock.now());
  // As it is now: what it had a moment ago may have been taken from it.
  if (on) requireDetails(switched);
  return moduleState(switched);
}

export const moduleRoutes: FastifyPluginAsyncZod = async (app) => {
  const tags = ['Module'];

  app.get(
    '/module',
    {
      config: { access: 'member' },
      schema: { tags, summary: 'Read the module state', response: { 200: moduleSchema } },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const row = await app.deps.database.inOrganization(organizationId, (trx) =>
        findOrganization(trx, organizationId),
      );
      if (!row) throw notFound('organization');
      return moduleState(row);
    },
  );

  app.post(
    '/module/enable',
    {
      config: { access: 'settings:manage' },
      schema: {
        tags,
        summary: 'Switch the module on',
        description: 'It sends once the organization is registered, or has attached its own account.',
        response: { 200: moduleSchema },
      },
    },
    async (request, reply) => {
      const { body } = await command(request, reply, async (trx) => ({
        status: 200 as const,
        body: await change(trx, request, true),
      }));
      return reply.send(body);
    },
  );

  app.post(
    '/module/disable',
    {
      config: { access: 'settings:manage' },
      schema: { tags, summary: 'Switch the module off: nothing new is sent', response: { 200: moduleSchema } },
    },
    async (request, reply) => {
      const { body } = await command(request, reply, async (trx) => ({
        status: 200 as const,
        body: await change(trx, request, false),
      }));
      return reply.send(body);
    },
  );
};
