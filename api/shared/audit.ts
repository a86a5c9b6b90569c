/** Writing down who did what: called in the transaction of the act. */
import type { FastifyRequest } from 'fastify';
import { insertAuditEntry } from '../../db/organizations/audit.ts';
import type { Trx } from '../../db/database.ts';
import { actorOf, principalOf } from './auth.ts';

/**
 * @param action `user.created` and the like
 * @param subject the id of what was acted on
 * @param detail ids and names of fields; no phone numbers, no secrets
 * @param organizationId when the caller acts in none
 */
export async function audit(
  trx: Trx,
  request: FastifyRequest,
  action: string,
  subject: string,
  detail: Record<string, unknown> = {},
  organizationId = principalOf(request).organizationId,
): Promise<void> {
  const at = request.server.deps.clock.now();
  await insertAuditEntry(trx, { organizationId, actor: actorOf(request), action, subject, detail, at });
}
