/** Which opt-in requests a workflow, or the sweep, has to see to. */
import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
import type { OptInPair } from './settling.ts';

/** Says that Temporal has the workflow. */
export async function markOptInStarted(trx: Trx, requestId: string, now: Date): Promise<void> {
  await trx
    .updateTable('opt_in_requests')
    .set({ workflow_started_at: now })
    .where('id', '=', requestId)
    .where('workflow_started_at', 'is', null)
    .execute();
}

/** The requests of a number that are answered and not settled: whose workflows are to be told. */
export async function answeredOptIns(trx: Trx, organizationId: string, contactNumber: string): Promise<OptInPair[]> {
  const { rows } = await sql<OptInPair>`
    select distinct organization_id as "organizationId", user_id as "userId", contact_id as "contactId"
    from opt_in_requests
    where organization_id = ${organizationId} and contact_number = ${contactNumber} and settled_at is null
      and ended_at is not null`.execute(trx);
  return rows;
}

export interface NeglectedOptIn extends OptInPair {
  requestId: string;
  /** Temporal has never had the workflow of this one. */
  isNew: boolean;
}

/**
 * Requests nobody sees to, across organizations, for the sweep: made while Temporal was away, answered without the
 * workflow hearing of it, or expired without it looking.
 */
export async function neglectedOptIns(
  system: Db,
  { madeBefore, endedBefore }: { madeBefore: Date; endedBefore: Date },
): Promise<NeglectedOptIn[]> {
  const { rows } = await sql<NeglectedOptIn>`
    select id as "requestId", organization_id as "organizationId", user_id as "userId", contact_id as "contactId",
      workflow_started_at is null as "isNew"
    from (
      (select * from opt_in_requests where workflow_started_at is null and requested_at < ${madeBefore} limit 200)
      union
      (select * from opt_in_requests where settled_at is null and ended_at < ${endedBefore} limit 200)
      union
      (select * from opt_in_requests where state = 'waiting' and expires_at < ${endedBefore} limit 200)
    ) as neglected`.execute(system);
  return rows;
}
