/** Webhook endpoints: whom an organization tells of its events (G4). */
import { sql, type Selectable } from 'kysely';
import type { OffReason, WebhookEventType } from '../../domain/webhooks.ts';
import type { Changes } from '../changes.ts';
import type { Db, Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { lastEventId } from '../conversations/live-events.ts';
import type { Schema } from '../schema.ts';

export type EndpointRow = Selectable<Schema['webhook_endpoints']>;

interface NewEndpoint {
  url: string;
  events: readonly WebhookEventType[];
  /** Encrypted. */
  secret: string;
  active: boolean;
  at: Date;
}

/** All events after one, as they are passed over while an endpoint is switched off. */
const after = (eventId: number) => sql`int8multirange(int8range(${eventId}, null, '()'))`;

/** Told of what happens from now on. */
export async function insertEndpoint(
  trx: Trx,
  organizationId: string,
  { url, events, secret, active, at }: NewEndpoint,
): Promise<EndpointRow> {
  const last = await lastEventId(trx, organizationId);
  return trx
    .insertInto('webhook_endpoints')
    .values({
      id: newId('webhookEndpoint', at),
      organization_id: organizationId,
      url,
      events: [...events],
      secret,
      active,
      off_reason: active ? null : 'requested',
      read_up_to: last,
      ...(!active && { skipped: sql<string>`${after(last)}` }),
      created_at: at,
      updated_at: at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Locks the organization first: of two that are added at once one counts the other. */
export async function countEndpoints(trx: Trx, organizationId: string): Promise<number> {
  await trx.selectFrom('organizations').select('id').where('id', '=', organizationId).forNoKeyUpdate().execute();
  const { count } = await trx
    .selectFrom('webhook_endpoints')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('organization_id', '=', organizationId)
    .executeTakeFirstOrThrow();
  return count;
}

/** In the order in which they were added. */
export async function listEndpoints(
  trx: Trx,
  organizationId: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<EndpointRow[]> {
  return trx
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .$if(after !== undefined, (query) => query.where('id', '>', after!))
    .orderBy('id')
    .limit(limit)
    .execute();
}

export async function findEndpoint(trx: Trx, organizationId: string, id: string): Promise<EndpointRow | undefined> {
  return trx
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** For whoever changes it: nothing is written to it or its deliveries meanwhile. */
export async function lockEndpoint(trx: Trx, organizationId: string, id: string): Promise<EndpointRow | undefined> {
  return trx
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export interface EndpointFields {
  url: string;
  events: WebhookEventType[];
  active: boolean;
}

/**
 * Changes one that is locked. What waits is tried at once. One that is switched off is told, once it is on again, of what
 * had happened until then, and then of what happens from there on.
 */
export async function updateEndpoint(
  trx: Trx,
  before: EndpointRow,
  { url, events, active }: Changes<EndpointFields>,
  at: Date,
): Promise<EndpointRow> {
  const isSwitched = active !== undefined && active !== before.active;
  const last = isSwitched ? await lastEventId(trx, before.organization_id) : 0;
  return trx
    .updateTable('webhook_endpoints')
    .set({
      ...(url !== undefined && { url }),
      ...(events !== undefined && { events }),
      ...(active !== undefined && { active, off_reason: active ? null : (before.off_reason ?? 'requested') }),
      ...(isSwitched && {
        skipped: active ? sql<string>`skipped - ${after(last)}` : sql<string>`skipped + ${after(last)}`,
      }),
      failures: 0,
      failing_since: null,
      next_attempt_at: null,
      updated_at: at,
    })
    .where('id', '=', before.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Together with its deliveries. @returns whether there was one */
export async function deleteEndpoint(trx: Trx, organizationId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('webhook_endpoints')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The secret there was signs too until `until`. @param secret the new one, encrypted */
export async function rotateSecret(
  trx: Trx,
  organizationId: string,
  { id, secret, until, at }: { id: string; secret: string; until: Date; at: Date },
): Promise<EndpointRow | undefined> {
  return trx
    .updateTable('webhook_endpoints')
    .set((row) => ({ previous_secret: row.ref('secret'), previous_secret_until: until, secret, updated_at: at }))
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Nothing is sent to one that is locked any more; what has happened waits until it is switched on again. */
export async function switchOff(
  trx: Trx,
  { id, organization_id: organizationId }: EndpointRow,
  { reason, at }: { reason: OffReason; at: Date },
): Promise<void> {
  const last = await lastEventId(trx, organizationId);
  await trx
    .updateTable('webhook_endpoints')
    .set({
      active: false,
      off_reason: reason,
      skipped: sql<string>`skipped + ${after(last)}`,
      next_attempt_at: null,
      updated_at: at,
    })
    .where('id', '=', id)
    .execute();
}

/** Active ones that have something to do which nobody does. @param before what fell due by then */
export async function idleEndpoints(
  system: Db,
  { now, before }: { now: Date; before: Date },
): Promise<{ organizationId: string; endpointId: string }[]> {
  const { rows } = await sql<{ organizationId: string; endpointId: string }>`
    select w.organization_id as "organizationId", w.id as "endpointId" from webhook_endpoints w
    where w.active and (w.lease_until is null or w.lease_until < ${now})
      and (
        exists (select from webhook_deliveries d where d.endpoint_id = w.id and d.replay_asked_at < ${before})
        or (
          (w.next_attempt_at is null or w.next_attempt_at < ${before})
          and (
            exists (select from events e where e.organization_id = w.organization_id and e.id > w.read_up_to)
            or exists (select from webhook_deliveries d where d.endpoint_id = w.id and d.state = 'waiting')
          )
        )
      )`.execute(system);
  return rows;
}
