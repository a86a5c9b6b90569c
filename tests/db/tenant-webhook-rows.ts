/** The part of a tenant's rows that is about webhooks out. */
import type { Db } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';

export const newWebhookIds = (at: Date) => ({
  webhookEndpoint: newId('webhookEndpoint', at),
  webhookDelivery: newId('webhookDelivery', at),
});
export type WebhookIds = keyof ReturnType<typeof newWebhookIds>;

interface Tenant {
  organization: string;
  ids: Record<WebhookIds, string>;
  name: string;
  at: Date;
}

/** An endpoint, and one delivery that has arrived. */
export async function fillWebhooks(db: Db, { organization, ids, name, at }: Tenant): Promise<void> {
  await db
    .insertInto('webhook_endpoints')
    .values({
      id: ids.webhookEndpoint,
      organization_id: organization,
      url: `https://${name.toLowerCase()}.example/${name}%20secret`,
      events: ['message.received'],
      secret: `${name} secret`,
      active: true,
      read_up_to: 0,
      created_at: at,
      updated_at: at,
    })
    .execute();
  await db
    .insertInto('webhook_deliveries')
    .values({
      id: ids.webhookDelivery,
      organization_id: organization,
      endpoint_id: ids.webhookEndpoint,
      event_id: 1,
      type: 'message.received',
      body: JSON.stringify({ type: 'message.received', timestamp: at.toISOString(), data: { name: `${name} secret` } }),
      state: 'delivered',
      created_at: at,
    })
    .execute();
}
