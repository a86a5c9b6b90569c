/** One row of an organization in every table of tenants: what isolation is tested with. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { fillConversations } from './tenant-conversation-rows.ts';
import { fillTemplates, newTemplateIds, type TemplateIds } from './tenant-template-rows.ts';
import { fillWebhooks, newWebhookIds, type WebhookIds } from './tenant-webhook-rows.ts';

export interface TenantRows {
  organization: string;
  /** Ids of the rows, by the singular of their table. */
  ids: Record<
    | 'user'
    | 'key'
    | 'contact'
    | 'list'
    | 'pool'
    | 'number'
    | 'numberJob'
    | 'purchase'
    | 'audience'
    | 'massSms'
    | 'message'
    | 'waitingMessage'
    | 'registration'
    | 'evidence'
    | 'conversation'
    | 'notification'
    | TemplateIds
    | WebhookIds,
    string
  >;
  /** Of the evidence's public address. */
  evidenceToken: string;
  /** The contact's number. */
  mobile: string;
}

/** Fills every table. A test fails when a table is added and not filled here. */
export async function fillTenant(database: Database, name: string, mobile: string): Promise<TenantRows> {
  const db = database.system;
  const at = new Date();
  const stamps = { created_at: at, updated_at: at };
  const organization = newId('organization', at);
  const tenant = { organization_id: organization };
  const ids = {
    user: newId('user', at),
    key: newId('key', at),
    contact: newId('contact', at),
    list: newId('list', at),
    pool: newId('pool', at),
    number: newId('number', at),
    numberJob: newId('numberJob', at),
    purchase: newId('purchase', at),
    audience: newId('audience', at),
    massSms: newId('massSms', at),
    message: newId('message', at),
    waitingMessage: newId('message', at),
    registration: newId('registration', at),
    evidence: newId('evidence', at),
    conversation: newId('conversation', at),
    notification: newId('notification', at),
    ...newTemplateIds(at),
    ...newWebhookIds(at),
  };
  const evidenceToken = randomBytes(32).toString('base64url');
  await db
    .insertInto('organizations')
    .values({ id: organization, name, domain: `${name.toLowerCase()}.example`, time_zone: 'UTC', ...stamps })
    .execute();
  await db
    .insertInto('users')
    .values({ id: ids.user, ...tenant, name, email: `${name}@example.com`, ...stamps })
    .execute();
  await db
    .insertInto('api_keys')
    .values({ id: ids.key, ...tenant, kind: 'organization', key_hash: Buffer.from(randomUUID()), created_at: at })
    .execute();
  await db
    .insertInto('audit_log')
    .values({ id: newId('audit', at), ...tenant, actor: 'test', action: 'test', subject: name, detail: '{}', at })
    .execute();
  await db
    .insertInto('idempotency_keys')
    .values({
      scope: organization,
      key: 'k',
      ...tenant,
      request_hash: Buffer.alloc(32),
      status: 200,
      body: '1',
      created_at: at,
    })
    .execute();
  await db
    .insertInto('contacts')
    .values({ id: ids.contact, ...tenant, first_name: name, mobile, phone_status: 'valid', ...stamps })
    .execute();
  await db
    .insertInto('contact_lists')
    .values({ id: ids.list, ...tenant, name: `${name} list`, created_at: at })
    .execute();
  await db
    .insertInto('contact_list_members')
    .values({ ...tenant, list_id: ids.list, contact_id: ids.contact })
    .execute();
  await db
    .insertInto('consent_ledger')
    .values({
      id: newId('ledgerEntry', at),
      ...tenant,
      contact_id: ids.contact,
      phone_number: mobile,
      purpose: 'promotional',
      granted: true,
      method: 'test',
      actor: 'test',
      at,
    })
    .execute();
  await db
    .insertInto('opt_outs')
    .values({ id: newId('optOut', at), ...tenant, phone_number: mobile, method: 'test', at })
    .execute();
  await db
    .insertInto('number_pools')
    .values({ id: ids.pool, ...tenant, name: `${name} pool`, purpose: 'promotional', created_at: at })
    .execute();
  await db
    .insertInto('phone_numbers')
    .values({
      id: ids.number,
      ...tenant,
      phone_number: mobile.replace('+1', '+2'),
      twilio_sid: `PN${name}`,
      pool_id: ids.pool,
      purchased_at: at,
    })
    .execute();
  await db
    .insertInto('phone_number_users')
    .values({ ...tenant, number_id: ids.number, user_id: ids.user })
    .execute();
  await db
    .insertInto('number_jobs')
    .values({ id: ids.numberJob, ...tenant, kind: 'purchase', actor: 'test', request_key: name, created_at: at })
    .execute();
  await db
    .insertInto('number_purchases')
    .values({
      id: ids.purchase,
      ...tenant,
      job_id: ids.numberJob,
      user_ids: [ids.user],
      wanted: mobile,
      state: 'waiting',
    })
    .execute();
  await db
    .insertInto('number_releases')
    .values({ ...tenant, job_id: ids.numberJob, number_id: ids.number, state: 'waiting' })
    .execute();
  await db
    .insertInto('sticky_senders')
    .values({ ...tenant, pool_id: ids.pool, contact_number: mobile, line: mobile.replace('+1', '+2') })
    .execute();
  await db
    .insertInto('mass_sms')
    .values({
      id: ids.massSms,
      ...tenant,
      name: `${name} mass SMS`,
      status: 'scheduled',
      audience: JSON.stringify({ list: `${name} list`, purpose: 'promotional' }),
      excluded: JSON.stringify({ noPhone: 0, invalid: 0, unsubscribed: 0, noConsent: 0, duplicate: 0, overLimit: 0 }),
      recipients: 1,
      pool_id: ids.pool,
      purpose: 'promotional',
      body: `${name} secret`,
      time_zone: 'UTC',
      start_at: at,
      daily_at: '10:00',
      end_at: at,
      allow_weekends: true,
      at_window_close: 'continue',
      first_batch_size: 1,
      daily_batch_size: 1,
      created_by: 'test',
      cause: null as never,
      workflow_started_at: at,
      ...stamps,
    })
    .execute();
  await db
    .insertInto('mass_sms_batches')
    .values({ ...tenant, mass_sms_id: ids.massSms, number: 1, size: 1, start_at: at, status: 'scheduled' })
    .execute();
  await db
    .insertInto('audiences')
    .values({ id: ids.audience, ...tenant, definition: '{"query":"x","purpose":"promotional"}', created_at: at })
    .execute();
  await db
    .insertInto('send_permits')
    .values({ ...tenant, tokens: 1, refilled_at: at })
    .execute();
  // The tally of the mass SMS is written by a trigger on messages; of usage only for what was attempted.
  await db
    .insertInto('messages')
    .values({
      id: ids.message,
      ...tenant,
      direction: 'outbound',
      source: 'mass_sms',
      purpose: 'promotional',
      status: 'scheduled',
      line: mobile.replace('+1', '+2'),
      contact_number: mobile,
      contact_id: ids.contact,
      body: `${name} secret`,
      mass_sms_id: ids.massSms,
      batch_number: 1,
      rank: 1,
      created_at: at,
    })
    .execute();
  await db
    .insertInto('message_events')
    .values({ message_id: ids.message, ...tenant, status: 'sent', twilio_sid: `SM${name}`, at })
    .execute();
  await db
    .insertInto('usage_tallies')
    .values({
      ...tenant,
      month: '2026-11-01',
      line: mobile.replace('+1', '+2'),
      user_id: ids.user,
      purpose: 'promotional',
      direction: 'outbound',
      messages: 1,
      segments: 1,
    })
    .execute();
  await db
    .insertInto('inbound_receipts')
    .values({ message_sid: `SM${name}in`, ...tenant, message_id: ids.message, at })
    .execute();
  await db
    .insertInto('registrations')
    .values({ id: ids.registration, ...tenant, intake: JSON.stringify({ legalName: `${name} secret` }), ...stamps })
    .execute();
  const actor = 'test';
  await db
    .insertInto('registration_declarations')
    .values({ id: newId('declaration', at), ...tenant, declaration: 'accurate', actor, at })
    .execute();
  await db
    .insertInto('registration_evidence')
    .values({
      id: ids.evidence,
      ...tenant,
      token: evidenceToken,
      file_name: `${name} secret.png`,
      media_type: 'image/png',
      content: Buffer.from(`${name} secret`),
      size: 12,
      sha256: Buffer.alloc(32),
      actor,
      at,
    })
    .execute();
  await db
    .insertInto('registration_timeline')
    .values({
      id: newId('timelineEntry', at),
      ...tenant,
      at,
      subject: 'brand',
      event: 'test',
      actor,
      detail: `${name} secret`,
      awaiting: 'nobody',
    })
    .execute();
  await db
    .insertInto('registration_attempts')
    .values({ ...tenant, part: 'brand', number: 1, actor, begun_at: at, submission: `{"name":"${name} secret"}` })
    .execute();
  await db
    .insertInto('registration_resources')
    .values({ ...tenant, kind: 'account', sid: `AC${name}` })
    .execute();
  await db
    .insertInto('fees')
    .values({
      id: newId('fee', at),
      ...tenant,
      kind: 'brand_registration',
      amount: 4,
      currency: 'USD',
      reference: `BN${name}`,
      description: `${name} secret`,
      at,
    })
    .execute();
  await db
    .insertInto('emails')
    .values({
      id: newId('email', at),
      ...tenant,
      key: 'test',
      recipient: `${name}@example.com`,
      subject: 'Test',
      body: `${name} secret`,
      created_at: at,
    })
    .execute();
  await db
    .insertInto('twilio_event_receipts')
    .values({ event_id: `NO${name}`, ...tenant, at })
    .execute();
  await fillConversations(db, { organization, ids, name, mobile, at });
  await fillTemplates(db, { organization, ids, name, at });
  await fillWebhooks(db, { organization, ids, name, at });
  return { organization, ids, evidenceToken, mobile };
}
