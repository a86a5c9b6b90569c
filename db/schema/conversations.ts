/** The tables of messages one by one and what surrounds them, as Kysely sees them. */
import type { ColumnType, Generated } from 'kysely';
import type { HeldReason } from '../../domain/messages/due.ts';
import type { Json } from '../schema.ts';

export interface ConversationTables {
  /** What waits to leave, but for mass SMS: a row for as long as the message has not surely left. */
  outbox: {
    message_id: string;
    organization_id: string;
    contact_number: string;
    line: string;
    /** 0 for replies and opt-in requests, 1 for what was written ahead. */
    priority: number;
    due_at: Date;
    held_reason: HeldReason | null;
    held_detail: string | null;
    /** By somebody who may: the organization's own window does not hold it any more. */
    released: Generated<boolean>;
    attempt_id: string | null;
    claimed_at: Date | null;
  };
  conversations: {
    id: string;
    organization_id: string;
    line: string;
    contact_number: string;
    contact_id: string | null;
    last_message_id: string;
    last_message_at: Date;
    last_inbound_id: string | null;
    /** A message that may mean "stop texting me": a person has to say whether it does. */
    revocation_message_id: string | null;
  };
  /** Up to which message each user (or, with an empty id, the organization) has read each thread. */
  conversation_reads: { organization_id: string; conversation_id: string; user_id: string; read_up_to: string };
  opt_in_requests: {
    id: string;
    organization_id: string;
    user_id: string;
    contact_id: string;
    contact_number: string;
    line: string;
    message_id: string;
    state: 'waiting' | 'accepted' | 'declined' | 'expired' | 'cancelled';
    requested_at: Date;
    expires_at: Date;
    ended_at: Date | null;
    /** When what waited for the answer was queued or cancelled. */
    settled_at: Date | null;
    workflow_started_at: Date | null;
  };
  /** Messages claimed together, for as long as the final status of any of them has not come. */
  awaited_reports: {
    id: ColumnType<number, never, never>;
    organization_id: string;
    message_ids: string[];
    claimed_at: Date;
    look_at: Date;
  };
  events: {
    organization_id: string;
    id: ColumnType<number, never, never>;
    type: LiveEventType;
    data: Json<Record<string, unknown>>;
    at: Date;
  };
  notifications: {
    id: string;
    organization_id: string;
    user_id: string;
    kind: string;
    level: 'info' | 'warning' | 'error';
    title: string;
    body: string;
    subject: string;
    created_at: Date;
    read_at: Date | null;
    /** The email that tells of it too; one email may tell of several. */
    email_id: string | null;
    /** For the user's next digest; `email_id` is that email once it is written. */
    in_digest: Generated<boolean>;
  };
  /** Answers to first replies to a mass SMS: one for each number. */
  auto_responses: {
    organization_id: string;
    mass_sms_id: string;
    contact_number: string;
    reply_id: string;
    message_id: string;
    at: Date;
  };
  notification_preferences: {
    organization_id: string;
    user_id: string;
    kind: string;
    delivery: 'email' | 'digest' | 'product';
  };
}

/** What an open event stream is told. */
export type LiveEventType =
  'message.received' | 'message.updated' | 'mass_sms.updated' | 'registration.updated' | 'notification.created';
