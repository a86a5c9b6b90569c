/** A database of one's own with organizations, contacts and mass SMS in it: what the tests of sending begin with. */
import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import { type Database, openDatabase, type Trx } from '../../db/database.ts';
import { messageIdsMadeAt, newId } from '../../db/ids.ts';
import { createMassSms } from '../../db/mass-sms/create.ts';
import type { RankRange } from '../../db/messages/outgoing.ts';
import type { MassSmsStatus } from '../../domain/mass-sms/mass-sms.ts';
import type { Purpose } from '../../domain/purpose.ts';
import { type SettingsOverrides, withDefaults } from '../../domain/settings.ts';
import { cloneDatabase } from '../harness/infrastructure.ts';
import { somePhone } from '../harness/phone-numbers.ts';

export interface Organization {
  id: string;
  poolId: string;
  line: string;
}

export interface TestMassSms {
  id: string;
  range: RankRange;
  /** In order of rank. */
  messages: { id: string; rank: number; to: string; contactId: string }[];
}

export type Fixture = Awaited<ReturnType<typeof openFixture>>;

/** The statuses and more of messages, as rows. */
export interface MessageFacts {
  id: string;
  rank: number;
  status: string;
  attempt_id: string | null;
  attempts: number;
  twilio_sid: string | null;
  error_code: number | null;
  cancel_reason: string | null;
  accepted_at: Date | null;
  sent_at: Date | null;
  finished_at: Date | null;
  unsubscribed_at: Date | null;
}

export async function openFixture() {
  const own = await cloneDatabase();
  const database: Database = openDatabase(own.url, { poolSize: 10 });
  let nextNumber = randomInt(0, 1_000) * 1_000;
  const system = database.system;

  return {
    database,
    /** For the role that owns the database. */
    url: own.url,
    in: <T>(organization: Organization, work: (trx: Trx) => Promise<T>): Promise<T> =>
      database.inOrganization(organization.id, work),

    async organization(settings: SettingsOverrides = {}): Promise<Organization> {
      const at = new Date();
      const id = newId('organization', at);
      const poolId = newId('pool', at);
      const stamps = { created_at: at, updated_at: at };
      const name = `Acme ${id.slice(-8)}`;
      await system
        .insertInto('organizations')
        .values({ id, name, domain: 'acme.example', time_zone: 'UTC', settings: JSON.stringify(settings), ...stamps })
        .execute();
      await system
        .insertInto('number_pools')
        .values({ id: poolId, organization_id: id, name: 'Main', purpose: 'promotional', created_at: at })
        .execute();
      return { id, poolId, line: somePhone() };
    },

    /** Registered numbers in the organization's pool. */
    async numbers(organization: Organization, count: number): Promise<{ id: string; line: string; sid: string }[]> {
      const at = new Date();
      const made = Array.from({ length: count }, () => {
        const id = newId('number', at);
        return { id, line: somePhone(), sid: `PN${id.slice(4).replaceAll('-', '')}` };
      });
      const rows = made.map(({ id, line, sid }) => ({
        id,
        organization_id: organization.id,
        phone_number: line,
        twilio_sid: sid,
        pool_id: organization.poolId,
        registered: true,
        purchased_at: at,
      }));
      await system.insertInto('phone_numbers').values(rows).execute();
      return made;
    },

    /** A mass SMS to so many new contacts, all with consent, whose messages are queued. */
    async massSms(
      organization: Organization,
      recipients: number,
      given: { status?: MassSmsStatus; purpose?: Purpose; at?: Date; firstBatchSize?: number; lines?: string[] } = {},
    ): Promise<TestMassSms> {
      const { status = 'in_process', purpose = 'promotional', at = new Date(), firstBatchSize = 5_000 } = given;
      const first = nextNumber;
      nextNumber += recipients;
      return database.inOrganization(organization.id, async (trx) => {
        const list = newId('list', at);
        await trx
          .insertInto('contact_lists')
          .values({ id: list, organization_id: organization.id, name: list, created_at: at })
          .execute();
        await sql`
          with made as (
            insert into contacts (id, organization_id, mobile, phone_status, consent_transactional, consent_promotional,
              created_at, updated_at)
            select 'con_' || uuid_v7(${at}), ${organization.id}, '+1415' || (2000000 + i)::text, 'valid', true, true,
              ${at}, ${at} from generate_series(${first}::int, ${first + recipients - 1}::int) i returning id, mobile)
          insert into contact_list_members (organization_id, list_id, contact_id)
          select ${organization.id}, ${list}, id from made order by mobile`.execute(trx);
        const created = await createMassSms(trx, {
          organizationId: organization.id,
          name: 'Test',
          audience: { list, purpose },
          pool: { id: organization.poolId, lines: given.lines ?? [organization.line] },
          body: 'Hi {{contact.firstName}}, we are hiring.',
          values: {},
          timeZone: 'UTC',
          startAt: at,
          allowWeekends: true,
          atWindowClose: 'continue',
          createdBy: 'test',
          settings: withDefaults({
            firstBatchSize,
            sendWindow: {
              startTime: '00:00',
              endTime: '00:00',
              timeZone: 'UTC',
              days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
            },
          }),
          segmentsPerSecond: null,
          now: at,
        });
        if (created.kind !== 'created') throw new Error('the audience is empty');
        await trx.updateTable('mass_sms').set({ status }).where('id', '=', created.id).execute();
        const { rows } = await sql<TestMassSms['messages'][number]>`
          select id, rank, contact_number as "to", contact_id as "contactId" from messages
          where mass_sms_id = ${created.id} order by rank`.execute(trx);
        const { created_at: createdAt } = await trx
          .selectFrom('mass_sms')
          .select('created_at')
          .where('id', '=', created.id)
          .executeTakeFirstOrThrow();
        const range = { massSmsId: created.id, ids: messageIdsMadeAt(createdAt), first: 1, last: recipients };
        return { id: created.id, range, messages: rows };
      });
    },

    /** What became of the messages of a mass SMS, in order of rank. */
    async messagesOf(massSms: Pick<TestMassSms, 'id'>): Promise<MessageFacts[]> {
      const { rows } = await sql<MessageFacts>`
        select id, rank, status, attempt_id, attempts, twilio_sid, error_code, cancel_reason, accepted_at, sent_at,
          finished_at, unsubscribed_at
        from messages where mass_sms_id = ${massSms.id} order by rank`.execute(system);
      return rows;
    },

    /** Sets columns of messages behind the product's back, to begin a test from there. */
    async force(ids: readonly string[], set: { status: string; claimedAt?: Date; attemptId?: string; sid?: string }) {
      await sql`
        update messages set status = ${set.status}, claimed_at = coalesce(${set.claimedAt ?? null}, claimed_at),
          attempt_id = coalesce(${set.attemptId ?? null}, attempt_id), twilio_sid = coalesce(${set.sid ?? null}, twilio_sid)
        where id = any(${[...ids]})`.execute(system);
    },

    async close(): Promise<void> {
      await database.close();
      await own.release();
    },
  };
}
