/** Changing a line: who texts from it (B3, B6), where its calls go (B5), its pool; and adopting an orphan (B10). */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Trx } from '../../db/database.ts';
import { assignUsers, changeLine, findNumber, findNumberByPhone, type Line } from '../../db/numbers/lines.ts';
import { violates } from '../../db/violations.ts';
import { isLocalNumber } from '../../domain/numbers/area-codes.ts';
import { audit } from '../shared/audit.ts';
import { organizationOf, principalOf, requirePermission } from '../shared/auth.ts';
import { conflict, notFound, refused } from '../shared/problems.ts';
import { id, idParams, phoneNumber } from '../shared/schemas.ts';
import { lockFreeUsers } from './line-users.ts';
import { requirePool } from './pools.ts';
import { number, toNumber } from './schemas.ts';

const changes = z
  .strictObject({
    userIds: z
      .array(id('user'))
      .max(100)
      .transform((ids) => [...new Set(ids)])
      .meta({ description: 'All who text from it from now on; whoever is not named loses it' }),
    forwardTo: phoneNumber.nullable().meta({ description: 'Where calls go; null to have a message played instead' }),
    poolId: id('pool').nullable(),
  })
  .partial();
type Changes = z.infer<typeof changes>;

/** @throws {Problem} 403: who texts from a line may say where its calls go, everything else is for administrators */
function requireMayChange(request: FastifyRequest, line: Line, body: Changes): void {
  const principal = principalOf(request);
  const isOwn = line.users.some((user) => user.id === principal.userId);
  if (isOwn && Object.keys(body).every((name) => name === 'forwardTo')) return;
  requirePermission(principal, 'numbers:manage');
}

const adopts = (line: Line, { userIds = [], poolId = null }: Changes): boolean =>
  line.orphan_since !== null && (userIds.length > 0 || poolId !== null);

/** @throws {Problem} 409 for a line that is released, or being so; 422 for an orphan that stays one */
function requireInUse(line: Line, body: Changes): void {
  if (line.released_at !== null) {
    throw conflict(
      'released',
      'This number was released and is not yours any more: buy another one (GET /v1/numbers/available).',
    );
  }
  if (line.releasing_since !== null) {
    throw conflict('releasing', 'This number is being released, which cannot be undone: choose another one.');
  }
  if (line.orphan_since === null || body.forwardTo === undefined || adopts(line, body)) return;
  throw refused(
    'orphan',
    'Nobody uses this number yet: adopt it first, by giving it users (userIds) or a pool (poolId).',
  );
}

/** @throws {Problem} 422 for what costs more than a call near by, and where a call would come back to us and reach nobody */
async function requirePhone(trx: Trx, organizationId: string, forwardTo: string | null | undefined): Promise<void> {
  if (!forwardTo) return;
  if (!isLocalNumber(forwardTo)) {
    throw refused(
      'forwarding_not_allowed',
      'Calls are forwarded to local numbers of the United States and Canada only, because costly destinations invite toll fraud: name such a phone.',
    );
  }
  const line = await findNumberByPhone(trx, organizationId, forwardTo);
  if (!line) return;
  throw refused(
    'forwards_to_a_line',
    `This is a line of the organization itself (${line.id}): forward to the phone of somebody who answers it.`,
    { numberId: line.id },
  );
}

/** What becomes of the line. Fields that stay as they are, are left out. */
function planned(line: Line, { userIds, forwardTo, poolId }: Changes) {
  const from = line.users.map((user) => user.id);
  const to = userIds ?? from;
  const joining = to.filter((userId) => !from.includes(userId));
  const isLeftByAll = from.length > 0 && !to.some((userId) => from.includes(userId));
  // Unless another phone is named: the one it has was that of somebody who leaves the line.
  const phone = forwardTo === undefined && isLeftByAll ? null : forwardTo;
  return {
    joining,
    users: joining.length > 0 || to.length < from.length ? { from, to } : undefined,
    isReallocated: isLeftByAll && to.length > 0,
    forwardTo: phone === line.forward_to ? undefined : phone,
    poolId: poolId === line.pool_id ? undefined : poolId,
    isAdopted: adopts(line, { userIds, poolId }),
  };
}
type Plan = ReturnType<typeof planned>;

/** Writes down who had the line and who has it now; of the phone, only that it changed. */
async function auditChange(trx: Trx, request: FastifyRequest, numberId: string, plan: Plan): Promise<void> {
  const { users, forwardTo, poolId, isAdopted, isReallocated } = plan;
  const action = isAdopted ? 'number.adopted' : isReallocated ? 'number.reallocated' : 'number.changed';
  const changed = { userIds: users, forwardTo, poolId };
  const fields = Object.entries(changed).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  await audit(trx, request, action, numberId, { fields, ...users, ...(poolId !== undefined && { poolId }) });
}

async function carryOut(trx: Trx, request: FastifyRequest, numberId: string, plan: Plan): Promise<void> {
  const organizationId = organizationOf(request);
  const { users, forwardTo, poolId, isAdopted } = plan;
  if (users) {
    await assignUsers(trx, organizationId, numberId, users.to).catch((error: unknown) => {
      if (!violates(error, 'phone_number_users_one_line')) throw error;
      throw refused('has_line', 'One of these users was given a line at this moment: send the request again.');
    });
  }
  if (forwardTo !== undefined || poolId !== undefined || isAdopted) {
    const adoptedAt = isAdopted ? request.server.deps.clock.now() : undefined;
    await changeLine(trx, organizationId, numberId, { forwardTo, poolId, adoptedAt });
  }
  if (users || forwardTo !== undefined || poolId !== undefined) await auditChange(trx, request, numberId, plan);
}

/** @returns the line as it is then */
async function changeNumber(trx: Trx, request: FastifyRequest, numberId: string, body: Changes): Promise<Line> {
  const organizationId = organizationOf(request);
  const line = await findNumber(trx, organizationId, numberId, { lock: true });
  if (!line) throw notFound('number');
  requireMayChange(request, line, body);
  requireInUse(line, body);
  await requirePhone(trx, organizationId, body.forwardTo);
  await requirePool(trx, organizationId, body.poolId);
  const plan = planned(line, body);
  // Those who stay too: two writers lock all the users they are about in the one order of their ids.
  if (plan.users) await lockFreeUsers(trx, organizationId, plan.users.to, plan.joining);
  await carryOut(trx, request, numberId, plan);
  return (await findNumber(trx, organizationId, numberId))!;
}

export const numberChangeRoutes: FastifyPluginAsyncZod = async (app) => {
  app.patch(
    '/numbers/:id',
    {
      config: { access: 'member' },
      schema: {
        tags: ['Numbers'],
        summary: 'Change a phone number: its users, where its calls go, its pool',
        description: `Needs numbers:manage, except that who texts from a line may change its \`forwardTo\`. Only active users who have no other
line can join; inactive ones who are on it may stay. The messages stay with the line. When none of its earlier users
stays and no \`forwardTo\` is sent, calls are not forwarded any more: it was an earlier user's phone. Giving users or a
pool to a number that nobody uses (\`orphan\`) adopts it.`,
        params: idParams,
        body: changes,
        response: { 200: number },
      },
    },
    async (request) => {
      const { params, body } = request;
      return toNumber(
        await app.deps.database.inOrganization(organizationOf(request), (trx) =>
          changeNumber(trx, request, params.id, body),
        ),
      );
    },
  );
};
