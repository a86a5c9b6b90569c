/**
 * Deliveries to webhook endpoints: made from events, taken one after another, and what became of each. Whoever delivers
 * holds a lease on the endpoint, so that no two workers do at once.
 */
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { afterFailure, type DeliveryState, keptForMs, type OffReason } from '../../domain/webhooks.ts';
import { insertAuditEntry } from '../organizations/audit.ts';
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { notify, usersWith } from '../notifications/notifications.ts';
import type { Schema } from '../schema.ts';
import { type EndpointRow, lockEndpoint, switchOff } from './endpoints.ts';

export type DeliveryRow = Selectable<Schema['webhook_deliveries']>;

/** Longer than an attempt can take; a worker that died is followed after so long. */
const leaseMs = 30_000;
/** Events made into deliveries at a time. */
const pageSize = 500;

/** Who delivers what to whom. */
export interface Lease {
  organizationId: string;
  endpointId: string;
  leaseId: string;
}

export type Step =
  | { kind: 'deliver'; endpoint: EndpointRow; delivery: DeliveryRow }
  /** Nothing is due; `nextAt` is null when nothing waits either. */
  | { kind: 'idle'; nextAt: Date | null }
  /** There is no such endpoint any more, or it is switched off. */
  | { kind: 'off' }
  /** Somebody else delivers. */
  | { kind: 'taken'; until: Date };

/** What to deliver next: a replay that was asked for, else the oldest that waits. Takes the lease, or renews it. */
export async function nextStep(trx: Trx, { organizationId, endpointId, leaseId }: Lease, now: Date): Promise<Step> {
  const endpoint = await lockEndpoint(trx, organizationId, endpointId);
  if (!endpoint?.active) return { kind: 'off' };
  const { lease_until: until, next_attempt_at: nextAt } = endpoint;
  if (until && until > now && endpoint.lease_id !== leaseId) return { kind: 'taken', until };
  await trx
    .updateTable('webhook_endpoints')
    .set({ lease_id: leaseId, lease_until: new Date(now.getTime() + leaseMs) })
    .where('id', '=', endpointId)
    .execute();
  const replay = await firstReplay(trx, endpointId);
  if (replay) return { kind: 'deliver', endpoint, delivery: replay };
  if (nextAt && nextAt > now) return { kind: 'idle', nextAt };
  const delivery = (await firstWaiting(trx, endpointId)) ?? (await makeDeliveries(trx, endpoint));
  return delivery ? { kind: 'deliver', endpoint, delivery } : { kind: 'idle', nextAt: null };
}

const firstReplay = (trx: Trx, endpointId: string): Promise<DeliveryRow | undefined> =>
  trx
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('endpoint_id', '=', endpointId)
    .where('replay_asked_at', 'is not', null)
    .orderBy('replay_asked_at')
    .limit(1)
    .executeTakeFirst();

const firstWaiting = (trx: Trx, endpointId: string): Promise<DeliveryRow | undefined> =>
  trx
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('endpoint_id', '=', endpointId)
    .where('state', '=', 'waiting')
    .orderBy('event_id')
    .limit(1)
    .executeTakeFirst();

/** No ranges. */
const nothingSkipped = '{}';

/**
 * Makes deliveries of the next events of the endpoint's types, without those that happened while it was off.
 *
 * @returns the first of them
 */
async function makeDeliveries(trx: Trx, endpoint: EndpointRow): Promise<DeliveryRow | undefined> {
  const { id, organization_id: organizationId, events: types, skipped } = endpoint;
  for (let readUpTo = endpoint.read_up_to; ;) {
    const events = await trx
      .selectFrom('events')
      .select(['id', 'type', 'data', 'at'])
      .where('organization_id', '=', organizationId)
      .where('id', '>', readUpTo)
      .where(sql<boolean>`not ${skipped}::int8multirange @> id`)
      .orderBy('id')
      .limit(pageSize)
      .execute();
    if (events.length === 0) {
      // Nothing but what is passed over: nobody need look at it again.
      if (skipped !== nothingSkipped) await readOnTo(trx, id, sql`greatest(read_up_to, upper(skipped) - 1)`);
      return undefined;
    }
    readUpTo = events.at(-1)!.id;
    await readOnTo(trx, id, sql`${readUpTo}::bigint`);
    const wanted = events.filter(({ type }) => types.includes(type));
    if (wanted.length === 0) continue;
    const rows = wanted.map(({ id: eventId, type, data, at }) => ({
      id: newId('webhookDelivery', at),
      organization_id: organizationId,
      endpoint_id: id,
      event_id: eventId,
      type,
      body: JSON.stringify({ type, timestamp: at.toISOString(), data }),
      state: 'waiting' as const,
      created_at: at,
    }));
    await trx.insertInto('webhook_deliveries').values(rows).execute();
    return firstWaiting(trx, id);
  }
}

/** What lies behind need not be known any more. */
async function readOnTo(trx: Trx, id: string, eventId: RawBuilder<unknown>): Promise<void> {
  await trx
    .updateTable('webhook_endpoints')
    .set({
      read_up_to: sql<number>`${eventId}`,
      skipped: sql<string>`skipped - int8multirange(int8range(null, ${eventId}, '(]'))`,
    })
    .where('id', '=', id)
    .execute();
}

/** Gives the lease back: others need not wait for its end. */
export async function endLease(trx: Trx, { endpointId, leaseId }: Lease): Promise<void> {
  await trx
    .updateTable('webhook_endpoints')
    .set({ lease_id: null, lease_until: null })
    .where('id', '=', endpointId)
    .where('lease_id', '=', leaseId)
    .execute();
}

/** What came of an attempt: a status, or in words why there is none. */
export type AttemptResult = { status: number } | { error: string };

const isDelivered = (result: AttemptResult): boolean =>
  'status' in result && result.status >= 200 && result.status < 300;

/**
 * Writes down what came of an attempt, and what follows for the endpoint.
 *
 * @param chance from 0 up to 1, for the length of the pause after a failure
 */
export async function recordAttempt(
  trx: Trx,
  lease: Lease,
  { delivery, result, now, chance }: { delivery: DeliveryRow; result: AttemptResult; now: Date; chance: number },
): Promise<void> {
  const endpoint = await lockEndpoint(trx, lease.organizationId, lease.endpointId);
  // Deleted meanwhile, its deliveries with it; or so late that another has taken over, whose word counts.
  if (endpoint?.lease_id !== lease.leaseId) return;
  await writeAttempt(trx, delivery, result, now);
  if (isDelivered(result)) return endFailing(trx, endpoint);
  if ('status' in result && result.status === 410) return switchOffByItself(trx, endpoint, 'gone', now);
  // A replay is one attempt, and says nothing about what waits.
  if (delivery.replay_asked_at) return;
  const { failures, failing_since: failingSince } = endpoint;
  const next = afterFailure({ failures, failingSince, createdAt: delivery.created_at, now, chance });
  await trx
    .updateTable('webhook_endpoints')
    .set({ failures: next.failures, failing_since: next.failingSince, next_attempt_at: next.nextAttemptAt })
    .where('id', '=', endpoint.id)
    .execute();
  if (next.isGivenUp) await giveUp(trx, delivery.id);
  if (next.isOff) await switchOffByItself(trx, endpoint, 'failing', now);
}

async function writeAttempt(trx: Trx, delivery: DeliveryRow, result: AttemptResult, now: Date): Promise<void> {
  const { id, replay_asked_at: replayAskedAt } = delivery;
  await trx
    .updateTable('webhook_deliveries')
    .set((row) => ({
      attempts: sql<number>`attempts + 1`,
      last_attempt_at: now,
      last_status: 'status' in result ? result.status : null,
      last_error: 'error' in result ? result.error : null,
      // One that was asked for since is still to come.
      replay_asked_at: sql<Date | null>`nullif(replay_asked_at, ${replayAskedAt}::timestamptz)`,
      ...(isDelivered(result) && {
        state: 'delivered' as const,
        delivered_at: row.fn.coalesce('delivered_at', sql<Date>`${now}`),
      }),
    }))
    .where('id', '=', id)
    .execute();
}

async function endFailing(trx: Trx, { id, failing_since: failingSince }: EndpointRow): Promise<void> {
  if (!failingSince) return;
  await trx
    .updateTable('webhook_endpoints')
    .set({ failures: 0, failing_since: null, next_attempt_at: null })
    .where('id', '=', id)
    .execute();
}

async function giveUp(trx: Trx, id: string): Promise<void> {
  await trx.updateTable('webhook_deliveries').set({ state: 'failed' }).where('id', '=', id).execute();
}

const why: Record<Exclude<OffReason, 'requested'>, string> = {
  gone: 'It answered 410: it wants no more.',
  failing: 'Nothing got through for five days.',
};

/** Switches an endpoint off and tells those who can switch it on again. */
async function switchOffByItself(trx: Trx, endpoint: EndpointRow, reason: keyof typeof why, at: Date): Promise<void> {
  const { id, organization_id: organizationId } = endpoint;
  await switchOff(trx, endpoint, { reason, at });
  const action = 'webhook_endpoint.switched_off';
  await insertAuditEntry(trx, { organizationId, actor: 'webhooks', action, subject: id, detail: { reason }, at });
  const users = await usersWith(trx, organizationId, { permission: 'settings:manage' });
  await notify(trx, users, {
    organizationId,
    kind: action,
    title: 'A webhook endpoint was switched off',
    body: `${why[reason]} What has happened until now goes out when it is switched on again: PATCH /v1/webhook-endpoints/${id} with active true.`,
    subject: id,
    at,
  });
}

/** The log of an endpoint, newest event first. */
export async function listDeliveries(
  trx: Trx,
  endpointId: string,
  { state, before, limit }: { state?: DeliveryState | undefined; before?: number | undefined; limit: number },
): Promise<DeliveryRow[]> {
  return trx
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('endpoint_id', '=', endpointId)
    .$if(state !== undefined, (query) => query.where('state', '=', state!))
    .$if(before !== undefined, (query) => query.where('event_id', '<', before!))
    .orderBy('event_id', 'desc')
    .limit(limit)
    .execute();
}

/** For whoever asks for a replay. */
export async function lockDelivery(trx: Trx, endpointId: string, id: string): Promise<DeliveryRow | undefined> {
  return trx
    .selectFrom('webhook_deliveries')
    .selectAll()
    .where('endpoint_id', '=', endpointId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

/** Has a delivery tried once more, besides what waits. */
export async function askForReplay(trx: Trx, id: string, at: Date): Promise<DeliveryRow> {
  return trx
    .updateTable('webhook_deliveries')
    .set({ replay_asked_at: at })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The log does not grow for ever. */
export async function forgetDeliveries(system: Db, now: Date): Promise<void> {
  const oldest = new Date(now.getTime() - keptForMs);
  await system.deleteFrom('webhook_deliveries').where('created_at', '<', oldest).execute();
}
