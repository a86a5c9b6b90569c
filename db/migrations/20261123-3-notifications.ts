/** The daily digest, notifications that are told to streams wherever they are written, and answers to first replies. */
import { type Kysely, sql } from 'kysely';
import { grantTenantTable } from './row-level-security.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table notifications
      -- For the user's next digest; email_id is that email once it is written.
      add column in_digest boolean not null default false;
    create index notifications_digest on notifications (organization_id, user_id, id)
      where in_digest and email_id is null;

    -- When the workflow of the digest will look again; null while it does not know of what waits, or must look anew.
    alter table organizations add column digest_at timestamptz;

    -- Written in the middle of transactions of every kind, and told at their very end.
    create function tell_of_notification() returns trigger language plpgsql as $$
    begin
      perform tell_streams(new.organization_id, jsonb_build_array(jsonb_build_object('type', 'notification.created',
        'data', jsonb_build_object('notificationId', new.id, 'userId', new.user_id, 'kind', new.kind,
          'level', new.level, 'subject', new.subject))), new.created_at);
      return null;
    end $$;
    create constraint trigger notifications_tell after insert on notifications deferrable initially deferred
      for each row execute function tell_of_notification();

    alter table mass_sms
      add column auto_respond_template_id text collate "C" references templates,
      -- As it was when the mass SMS was made; only codes of the contact are left in it.
      add column auto_respond_body text,
      add column auto_respond_purpose text check (auto_respond_purpose in ('transactional', 'promotional'));

    alter table messages
      drop constraint messages_source_check,
      -- 'auto_respond': the answer to a first reply to a mass SMS.
      add constraint messages_source_check
        check (source in ('user', 'journey', 'mass_sms', 'opt_in', 'contact', 'forward', 'auto_respond'));

    -- A row is an answer: one for each contact and mass SMS, however often the reply is delivered.
    create table auto_responses (
      organization_id text collate "C" not null references organizations,
      mass_sms_id text collate "C" not null references mass_sms,
      -- The number and not the contact: several contacts may share one, and only one of them is written to.
      contact_number text not null,
      reply_id text collate "C" not null,
      message_id text collate "C" not null,
      at timestamptz not null,
      primary key (mass_sms_id, contact_number)
    );
  `.execute(db);
  await grantTenantTable(db, 'auto_responses', { privileges: 'select, insert' });
}
