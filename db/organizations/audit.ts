/** The audit log: inserted and read, never changed. */
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';

export interface AuditEntry {
  organizationId: string | null;
  /** `user:usr_…`, `organization:key_…`, `operator:key_…` or the name of a process. */
  actor: string;
  action: string;
  subject: string;
  detail: Record<string, unknown>;
  at: Date;
}

export async function insertAuditEntry(trx: Trx, entry: AuditEntry): Promise<void> {
  await trx
    .insertInto('audit_log')
    .values({
      id: newId('audit', entry.at),
      organization_id: entry.organizationId,
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      detail: JSON.stringify(entry.detail),
      at: entry.at,
    })
    .execute();
}

/** Newest first. */
export function listAuditEntries(
  trx: Trx,
  organizationId: string,
  { limit, before }: { limit: number; before?: string | undefined },
) {
  return trx
    .selectFrom('audit_log')
    .select(['id', 'actor', 'action', 'subject', 'detail', 'at'])
    .where('organization_id', '=', organizationId)
    .$if(before !== undefined, (query) => query.where('id', '<', before!))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
