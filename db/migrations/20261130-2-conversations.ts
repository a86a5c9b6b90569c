/** Opt-in requests that nobody needs an answer to any more; lawful hours are part of the window that holds a message. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table opt_in_requests
      drop constraint opt_in_requests_state_check,
      -- 'cancelled': before it left by somebody, or because the consent was recorded in another way.
      add constraint opt_in_requests_state_check
        check (state in ('waiting', 'accepted', 'declined', 'expired', 'cancelled'));
    -- What a YES of a number may answer: also a request that was cancelled after it had left.
    drop index opt_in_requests_waiting;
    create index opt_in_requests_answerable on opt_in_requests (organization_id, contact_number)
      where state in ('waiting', 'cancelled');

    update outbox set held_reason = 'outside_window' where held_reason = 'quiet_hours';
    alter table outbox
      drop constraint outbox_held_reason_check,
      add constraint outbox_held_reason_check check (held_reason in ('scheduled', 'outside_window', 'paced'));
  `.execute(db);
}
