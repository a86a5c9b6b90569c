/** Runs of purchases or of releases: what the workflow `numbers/{id}` works off. */
import { sql } from 'kysely';
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import type { NumberJobRow } from '../schema.ts';

export interface NewJob {
  organizationId: string;
  kind: NumberJobRow['kind'];
  areaCode?: string;
  allowNearby?: boolean;
  poolId?: string | null;
  /** Who asked, and with a purchase agreed to the terms. */
  actor: string;
  requestKey?: string | null;
  at: Date;
}

/**
 * Begins a run, once per request: a second one with the same `requestKey` waits for the first and finds its run.
 *
 * @returns the id of the run, and whether it is new
 */
export async function beginJob(trx: Trx, job: NewJob): Promise<{ id: string; isNew: boolean }> {
  const id = newId('numberJob', job.at);
  const result = await trx
    .insertInto('number_jobs')
    .values({
      id,
      organization_id: job.organizationId,
      kind: job.kind,
      area_code: job.areaCode ?? null,
      allow_nearby: job.allowNearby ?? false,
      pool_id: job.poolId ?? null,
      actor: job.actor,
      request_key: job.requestKey ?? null,
      created_at: job.at,
    })
    .onConflict((conflict) => conflict.constraint('number_jobs_request').doNothing())
    .executeTakeFirst();
  if (result.numInsertedOrUpdatedRows !== 0n) return { id, isNew: true };
  const first = await trx
    .selectFrom('number_jobs')
    .select('id')
    .where('organization_id', '=', job.organizationId)
    .where('request_key', '=', job.requestKey!)
    .executeTakeFirstOrThrow();
  return { id: first.id, isNew: false };
}

export async function findJob(trx: Trx, organizationId: string, id: string): Promise<NumberJobRow | undefined> {
  return trx
    .selectFrom('number_jobs')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The newest first. @param before an id: only those that are older */
export async function listJobs(
  trx: Trx,
  organizationId: string,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<NumberJobRow[]> {
  return trx
    .selectFrom('number_jobs')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .$if(before !== undefined, (query) => query.where('id', '<', before!))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export interface JobCount {
  jobId: string;
  status: 'waiting' | 'provisioned' | 'released' | 'failed';
  count: number;
}

/** How many results of each kind runs have: one per user of a purchase, one per number of a release. */
export async function countResults(trx: Trx, jobIds: readonly string[]): Promise<JobCount[]> {
  const ids = sql`any(${[...jobIds]}::text[])`;
  const { rows } = await sql<JobCount>`
    select job_id as "jobId", state as status, sum(size)::int as count from (
      select job_id, state, greatest(cardinality(user_ids), 1) as size from number_purchases where job_id = ${ids}
      union all
      select job_id, state, 1 from number_releases where job_id = ${ids}
    ) results group by job_id, state`.execute(trx);
  return rows;
}

/** Across organizations: from now on a request like one from before this time begins a run of its own. */
export async function forgetRequestKeys(system: Db, before: Date): Promise<void> {
  await system
    .updateTable('number_jobs')
    .set({ request_key: null })
    .where('request_key', 'is not', null)
    .where('created_at', '<', before)
    .execute();
}

/** Says that Temporal has the workflow. */
export async function markJobStarted(trx: Trx, id: string, at: Date): Promise<void> {
  await trx.updateTable('number_jobs').set({ workflow_started_at: at }).where('id', '=', id).execute();
}

/** The first numbers of a run that are still to be released. */
export async function waitingReleases(trx: Trx, jobId: string, limit: number): Promise<string[]> {
  const rows = await trx
    .selectFrom('number_releases')
    .select('number_id')
    .where('job_id', '=', jobId)
    .where('state', '=', 'waiting')
    .orderBy('number_id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.number_id);
}

export async function finishJob(trx: Trx, id: string, at: Date): Promise<void> {
  await trx
    .updateTable('number_jobs')
    .set({ state: 'finished', finished_at: at })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .execute();
}

/** Whether numbers of the organization are being bought or released. */
export async function hasRunningJobs(trx: Trx, organizationId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('number_jobs')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('state', '=', 'running')
    .limit(1)
    .executeTakeFirst();
  return Boolean(row);
}

/** For the sweep, across organizations: runs begun before `before`, all of them or those that Temporal was not told of. */
export async function runningJobs(
  system: Db,
  { before, all }: { before: Date; all: boolean },
): Promise<{ id: string; organization_id: string }[]> {
  return system
    .selectFrom('number_jobs')
    .select(['id', 'organization_id'])
    .where('state', '=', 'running')
    .where('created_at', '<', before)
    .$if(!all, (query) => query.where('workflow_started_at', 'is', null))
    .orderBy('id')
    .execute();
}
