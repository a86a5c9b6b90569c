/** Batches on a database of their own, with a Twilio and a clock that tests play. */
import { sql } from 'kysely';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createBatchActivities } from '../../../activities/mass-sms/batches.ts';
import { createMassSmsActivities } from '../../../activities/mass-sms/commands.ts';
import type { Database } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import { createMassSms } from '../../../db/mass-sms/create.ts';
import { secretBox } from '../../../db/secrets.ts';
import type { MassSmsAction, MassSmsCommand, WindowClosePolicy } from '../../../domain/mass-sms/mass-sms.ts';
import { type SettingsOverrides, withDefaults } from '../../../domain/settings.ts';
import type { FoundMessage, SendOutcome } from '../../../twilio/gateway.ts';
import { testClock } from '../../harness/test-clock.ts';
import { openFixture, type Organization } from '../fixture.ts';

const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);

export interface Sent {
  from: string;
  to: string;
  body: string;
  validityPeriod: number;
}

/** A contact to be: by default one of Manhattan. */
export interface Person {
  areaCode?: string;
  /** E.164, instead of a new number of the area code. */
  mobile?: string;
  postalCode?: string;
  timeZone?: string;
}

interface Writing {
  startAt?: Date;
  body?: string;
  atWindowClose?: WindowClosePolicy;
  allowWeekends?: boolean;
  timeZone?: string;
  createdBy?: string;
}

export interface TestBatches {
  id: string;
  organization: Organization;
  /** Of the recipients, in order of rank. */
  to: string[];
}

export type BatchesFixture = Awaited<ReturnType<typeof openBatchesFixture>>;

export async function openBatchesFixture() {
  const fixture = await openFixture();
  const { database } = fixture;
  const { system } = database;
  const clock = testClock();
  let nextNumber = 2_000_000;

  /** Twilio: what it was given, and how it answers. */
  const twilio = {
    sent: [] as Sent[],
    answer: (async () => accepted()) as (message: Sent) => Promise<SendOutcome>,
    found: (async () => []) as (message: { to: string }) => Promise<FoundMessage[]>,
  };
  const account = {
    send: ({ from, to, body, validityPeriod }: Sent) => {
      const sent = { from, to, body, validityPeriod };
      twilio.sent.push(sent);
      return twilio.answer(sent);
    },
    findSent: (message: { to: string }) => twilio.found(message),
  };
  /** What is done after a transaction of a run has failed, before the run hears of it. */
  const hooked = Object.assign(fixture, { afterFailure: async () => {} });
  const watched: Database = {
    ...database,
    inOrganization: (organizationId, work) =>
      database.inOrganization(organizationId, work).catch(async (error: unknown) => {
        await hooked.afterFailure();
        throw error;
      }),
  };
  const batches = createBatchActivities({
    database: watched,
    clock,
    secrets,
    twilio: { account: () => account } as never,
    publicUrl: 'https://longwave.test',
    concurrency: 5,
    draining: new AbortController().signal,
  });

  const commands = createMassSmsActivities({ database, clock });

  const change = ({ id }: Organization, set: Record<string, unknown>) =>
    system.updateTable('organizations').set(set).where('id', '=', id).execute();
  const setSettings = (organization: Organization, settings: SettingsOverrides) =>
    change(organization, { settings: JSON.stringify(settings) });

  return Object.assign(hooked, {
    clock,
    twilio,
    setSettings,

    /** One that can send. */
    async sender(settings: SettingsOverrides, segmentsPerSecond: number | null = null): Promise<Organization> {
      const organization = await fixture.organization(settings);
      await change(organization, {
        module_on: true,
        account_sid: `AC${organization.id}`,
        auth_token: secrets.encrypt('token'),
        messaging_service_sid: 'MG1',
        segments_per_second: segmentsPerSecond,
      });
      twilio.sent.length = 0;
      twilio.answer = async () => accepted();
      return organization;
    },

    /** A mass SMS that is due, to new contacts in this order. */
    async massSmsTo(organization: Organization, people: readonly Person[], given: Writing = {}): Promise<TestBatches> {
      const at = clock.now();
      const to = people.map(({ areaCode = '212', mobile }) => mobile ?? `+1${areaCode}${(nextNumber += 1)}`);
      const { settings } = await system
        .selectFrom('organizations')
        .select('settings')
        .where('id', '=', organization.id)
        .executeTakeFirstOrThrow();
      return database.inOrganization(organization.id, async (trx) => {
        const list = newId('list', at);
        await trx
          .insertInto('contact_lists')
          .values({ id: list, organization_id: organization.id, name: list, created_at: at })
          .execute();
        await sql`
          with people as (
            select 'con_' || uuid_v7(${at}) as id, mobile, postal_code, time_zone, place
            from unnest(${to}::text[], ${people.map((person) => person.postalCode ?? null)}::text[],
              ${people.map((person) => person.timeZone ?? null)}::text[]) with ordinality
              as p (mobile, postal_code, time_zone, place)
          ), made as (
            insert into contacts (id, organization_id, mobile, postal_code, time_zone, phone_status, consent_transactional,
              consent_promotional, created_at, updated_at)
            select id, ${organization.id}, mobile, postal_code, time_zone, 'valid', true, true, ${at}, ${at} from people
          )
          insert into contact_list_members (organization_id, list_id, contact_id)
          select ${organization.id}, ${list}, id from people order by place`.execute(trx);
        const created = await createMassSms(trx, {
          organizationId: organization.id,
          name: 'Test',
          audience: { list, purpose: 'promotional' },
          pool: { id: organization.poolId, lines: [organization.line] },
          body: given.body ?? 'We are hiring. Reply STOP to opt out.',
          values: {},
          timeZone: given.timeZone ?? 'America/New_York',
          startAt: given.startAt ?? at,
          allowWeekends: given.allowWeekends ?? true,
          atWindowClose: given.atWindowClose ?? 'continue',
          createdBy: given.createdBy ?? 'test',
          settings: withDefaults(settings),
          segmentsPerSecond: null,
          now: at,
        });
        if (created.kind !== 'created') throw new Error('the audience is empty');
        return { id: created.id, organization, to };
      });
    },

    /** Runs the activity once. @returns the status, and when it wants to run again */
    async run({ id: massSmsId, organization }: TestBatches): Promise<{ status: string; runAt: Date | null }> {
      const organizationId = organization.id;
      const { status, runAt } = await runAlone(() => batches.runBatch({ organizationId, massSmsId }));
      return { status, runAt: runAt === null ? null : new Date(runAt) };
    },

    /** Obeys a command. @returns the status, and when there is something to do next */
    async command(
      { id: massSmsId, organization }: TestBatches,
      action: MassSmsAction,
      given: Partial<MassSmsCommand> = {},
    ): Promise<{ status: string; runAt: Date | null }> {
      const input = { organizationId: organization.id, massSmsId, action, actor: 'test', ...given };
      const { status, runAt } = await runAlone(() => commands.applyCommand(input));
      return { status, runAt: runAt === null ? null : new Date(runAt) };
    },

    /** The messages, in order of rank. */
    messages: ({ id }: TestBatches) =>
      system.selectFrom('messages').selectAll().where('mass_sms_id', '=', id).orderBy('rank').execute(),

    /** The statuses of its batches, in order. */
    async batches({ id }: TestBatches): Promise<string[]> {
      const rows = await system
        .selectFrom('mass_sms_batches')
        .select('status')
        .where('mass_sms_id', '=', id)
        .orderBy('number')
        .execute();
      return rows.map(({ status }) => status);
    },
  });
}

const runAlone = <T>(activity: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(activity);

export const accepted = (): SendOutcome => ({ kind: 'accepted', sid: `SM${crypto.randomUUID()}`, status: 'accepted' });
