/** The tables of webhooks out, as Kysely sees them. */
import type { Generated } from 'kysely';
import type { DeliveryState, OffReason, WebhookEventType } from '../../domain/webhooks.ts';

export interface WebhookTables {
  webhook_endpoints: {
    id: string;
    organization_id: string;
    url: string;
    events: WebhookEventType[];
    /** Encrypted; see secrets.ts. */
    secret: string;
    /** Encrypted; signs too until its time is over. */
    previous_secret: string | null;
    previous_secret_until: Date | null;
    active: boolean;
    off_reason: OffReason | null;
    /** The last event that was made into a delivery, or passed over. */
    read_up_to: number;
    /** The events that happened while it was switched off, as ranges of ids: an `int8multirange`. */
    skipped: Generated<string>;
    /** Attempts in a row that failed. */
    failures: Generated<number>;
    failing_since: Date | null;
    next_attempt_at: Date | null;
    lease_id: string | null;
    lease_until: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  webhook_deliveries: {
    id: string;
    organization_id: string;
    endpoint_id: string;
    event_id: number;
    type: WebhookEventType;
    body: string;
    state: DeliveryState;
    attempts: Generated<number>;
    last_attempt_at: Date | null;
    last_status: number | null;
    last_error: string | null;
    delivered_at: Date | null;
    replay_asked_at: Date | null;
    created_at: Date;
  };
}
