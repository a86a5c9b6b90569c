/** Who may be given a line (B3, B6): active users who have none and are not being bought one. */
import type { Trx } from '../../db/database.ts';
import { type Candidate, lockCandidates } from '../../db/numbers/lines.ts';
import { purchaseFailures, type PurchaseFailure } from '../../domain/numbers/purchases.ts';
import { type Problem, refused } from '../shared/problems.ts';

export interface Objection {
  reason: PurchaseFailure;
  detail: string;
  /** For programs. */
  members: Record<string, unknown>;
}

/** Why a user cannot be given a line now, or null. */
export function objectionTo({ id: userId, name, active, line, buyingJobId }: Candidate): Objection | null {
  if (!active) {
    const detail = `${name} is not active. ${purchaseFailures.user_inactive}`;
    return { reason: 'user_inactive', detail, members: { userId } };
  }
  if (line) {
    return {
      reason: 'has_line',
      detail: `${name} has the line ${line.phoneNumber} (${line.id}) already: release it, or take ${name} off it, first.`,
      members: { userId, numberId: line.id, phoneNumber: line.phoneNumber },
    };
  }
  if (buyingJobId === null) return null;
  return {
    reason: 'purchase_under_way',
    detail: `A number is being bought for ${name} already: GET /v1/numbers/jobs/${buyingJobId} tells when it is there.`,
    members: { userId, jobId: buyingJobId },
  };
}

const objected = ({ reason, detail, members }: Objection): Problem => refused(reason, detail, members);

/**
 * Locks users, so that nobody else gives them a line before this transaction ends.
 *
 * @returns them, in the order given, each once
 * @throws {Problem} 422 that names those who are not users of the organization
 */
export async function lockUsers(trx: Trx, organizationId: string, userIds: readonly string[]): Promise<Candidate[]> {
  const ids = [...new Set(userIds)];
  const found = await lockCandidates(trx, organizationId, ids);
  const unknown = ids.filter((id) => !found.has(id));
  if (unknown.length > 0) {
    const named = unknown.slice(0, 5).join(', ');
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : '';
    throw refused('unknown_user', `Not users of this organization: ${named}${more}. GET /v1/users lists them.`, {
      userIds: unknown,
    });
  }
  return ids.map((id) => found.get(id)!);
}

/**
 * As `lockUsers`.
 *
 * @param joining those who are to be given a line; the others have it already
 * @throws {Problem} 422 unless each of these can be given one now
 */
export async function lockFreeUsers(
  trx: Trx,
  organizationId: string,
  userIds: readonly string[],
  joining = userIds,
): Promise<Candidate[]> {
  const users = await lockUsers(trx, organizationId, userIds);
  for (const user of users) {
    if (!joining.includes(user.id)) continue;
    const objection = objectionTo(user);
    if (objection) throw objected(objection);
  }
  return users;
}
