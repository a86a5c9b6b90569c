/** The tables of phone numbers, as Kysely sees them. */
import type { Generated } from 'kysely';
import type { PurchaseFailure } from '../../domain/numbers/purchases.ts';
import type { Purpose } from '../../domain/purpose.ts';

export interface NumberTables {
  number_pools: { id: string; organization_id: string; name: string; purpose: Purpose; created_at: Date };
  phone_numbers: {
    id: string;
    organization_id: string;
    phone_number: string;
    twilio_sid: string;
    pool_id: string | null;
    registered: Generated<boolean>;
    forward_to: string | null;
    purchased_at: Date;
    released_at: Date | null;
    /** It is in the account and nobody uses it: to be adopted or released. */
    orphan_since: Date | null;
    /** Not in the messaging service: before this nothing is tried again. */
    register_at: Date | null;
    /** Twilio's code for why it is not in the messaging service. */
    registration_error: number | null;
    /** No message leaves from it any more. */
    releasing_since: Date | null;
  };
  phone_number_users: { organization_id: string; number_id: string; user_id: string };
  number_jobs: {
    id: string;
    organization_id: string;
    kind: 'purchase' | 'release';
    state: Generated<'running' | 'finished'>;
    /** `match-mobile`, an area code, or null when each purchase names its number. */
    area_code: string | null;
    allow_nearby: Generated<boolean>;
    pool_id: string | null;
    actor: string;
    request_key: string | null;
    created_at: Date;
    finished_at: Date | null;
    workflow_started_at: Date | null;
  };
  number_purchases: {
    id: string;
    organization_id: string;
    job_id: string;
    user_ids: string[];
    /** E.164, when the caller chose the number. */
    wanted: string | null;
    state: 'waiting' | 'provisioned' | 'failed';
    /** What Twilio was asked for last; kept until it is ours or surely is not. */
    candidate: string | null;
    asked_at: Date | null;
    number_id: string | null;
    reason: PurchaseFailure | null;
    detail: string | null;
    ended_at: Date | null;
  };
  number_releases: {
    organization_id: string;
    job_id: string;
    number_id: string;
    state: 'waiting' | 'released' | 'failed';
    detail: string | null;
    ended_at: Date | null;
  };
  /** From which number of a pool a contact hears, for as long as that number is in the pool. */
  sticky_senders: { organization_id: string; pool_id: string; contact_number: string; line: string };
}
