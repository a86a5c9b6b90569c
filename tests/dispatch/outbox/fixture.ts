/** The outbox on a database of its own, with a Twilio that tests play: what the tests of sending one by one begin with. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createOutboxActivities } from '../../../activities/outbox/outbox.ts';
import { newId } from '../../../db/ids.ts';
import { insertMessage } from '../../../db/messages/messages.ts';
import { secretBox } from '../../../db/secrets.ts';
import { dueOf } from '../../../domain/messages/due.ts';
import { type SettingsOverrides, withDefaults } from '../../../domain/settings.ts';
import type { FoundMessage, SendOutcome } from '../../../twilio/gateway.ts';
import { testClock } from '../../harness/test-clock.ts';
import { openFixture, type Organization } from '../fixture.ts';

const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);

const wholeDay = {
  sendWindow: {
    startTime: '00:00',
    endTime: '00:00',
    timeZone: 'America/Chicago',
    days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  },
} as const;

export interface Sent {
  id: string;
  to: string;
  from: string;
  body: string;
  validityPeriod: number;
}

export interface Contact {
  id: string;
  mobile: string;
}

interface Writing {
  body?: string;
  direct?: boolean;
  source?: 'user' | 'journey' | 'opt_in';
  purpose?: 'transactional' | 'promotional';
  sendAt?: Date | null;
  line?: string;
  userId?: string;
  /** For the contact's opt-in. */
  held?: boolean;
}

export type OutboxFixture = Awaited<ReturnType<typeof openOutboxFixture>>;

export async function openOutboxFixture() {
  const fixture = await openFixture();
  const { database } = fixture;
  const { system } = database;
  const clock = testClock();
  let nextNumber = 2_000_000;

  /** Twilio: what it was given, and how it answers. */
  const twilio = {
    sent: [] as Sent[],
    answer: (async () => ({ kind: 'accepted', sid: sid(), status: 'accepted' })) as (
      message: Sent,
    ) => Promise<SendOutcome>,
    found: (async () => []) as (message: { to: string }) => Promise<FoundMessage[]>,
  };
  const account = {
    send: (message: Omit<Sent, 'id'> & { statusCallback: string }) => {
      const id = /messages\/(msg_[^/]+)\//.exec(message.statusCallback)![1]!;
      const { to, from, body, validityPeriod } = message;
      const sent = { id, to, from, body, validityPeriod };
      twilio.sent.push(sent);
      return twilio.answer(sent);
    },
    findSent: (message: { to: string }) => twilio.found(message),
  };

  /** One worker more. @param draining aborts when it is told to stop */
  const worker = (draining = new AbortController().signal) => {
    const activities = createOutboxActivities({
      database,
      clock,
      secrets,
      twilio: { account: () => account } as never,
      publicUrl: 'https://longwave.test',
      concurrency: 20,
      draining,
    });
    return async ({ id: organizationId }: Organization) => {
      const { nextAt } = await runAlone(() => activities.dispatchDue({ organizationId }));
      return nextAt === null ? null : new Date(nextAt);
    };
  };

  return Object.assign(fixture, {
    clock,
    twilio,
    worker,
    /** Runs the activity once. @returns when it wants to run again */
    run: worker(),

    /** One that can send, in a window that is open all day unless said otherwise. */
    async sender(settings: SettingsOverrides = {}): Promise<Organization> {
      const organization = await fixture.organization({ ...wholeDay, ...settings });
      await system
        .updateTable('organizations')
        .set({
          module_on: true,
          account_sid: `AC${organization.id}`,
          auth_token: secrets.encrypt('token'),
          messaging_service_sid: 'MG1',
        })
        .where('id', '=', organization.id)
        .execute();
      await this.addLine(organization, organization.line);
      twilio.sent.length = 0;
      return organization;
    },

    async addLine({ id, poolId }: Organization, phoneNumber: string): Promise<void> {
      const at = clock.now();
      await system
        .insertInto('phone_numbers')
        .values({
          id: newId('number', at),
          organization_id: id,
          phone_number: phoneNumber,
          twilio_sid: `PN${randomUUID()}`,
          pool_id: poolId,
          registered: true,
          purchased_at: at,
        })
        .execute();
    },

    /** Somebody who texts from a line of the organization. */
    async user({ id: organizationId }: Organization, phoneNumber: string): Promise<string> {
      const at = clock.now();
      const id = newId('user', at);
      const stamps = { created_at: at, updated_at: at };
      await system
        .insertInto('users')
        .values({ id, organization_id: organizationId, name: 'Sam', email: `${id}@acme.example`, ...stamps })
        .execute();
      await this.putOn(id, phoneNumber);
      return id;
    },

    /** Gives a user a line, in place of the one before. */
    async putOn(userId: string, phoneNumber: string): Promise<void> {
      const number = await this.number(phoneNumber);
      const row = { organization_id: number.organization_id, user_id: userId, number_id: number.id };
      await system.deleteFrom('phone_number_users').where('user_id', '=', userId).execute();
      await system.insertInto('phone_number_users').values(row).execute();
    },

    number: (phoneNumber: string) =>
      system
        .selectFrom('phone_numbers')
        .selectAll()
        .where('phone_number', '=', phoneNumber)
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow(),

    async contact({ id: organizationId }: Organization, areaCode = '312'): Promise<Contact> {
      const at = clock.now();
      const contact = { id: newId('contact', at), mobile: `+1${areaCode}${(nextNumber += 1)}` };
      await system
        .insertInto('contacts')
        .values({
          ...contact,
          organization_id: organizationId,
          phone_status: 'valid',
          consent_transactional: true,
          consent_promotional: true,
          created_at: at,
          updated_at: at,
        })
        .execute();
      return contact;
    },

    /** Queues a message as the API does. */
    async write(organization: Organization, contact: Contact, given: Writing = {}): Promise<string> {
      const { direct = false, sendAt = null, body = 'Hi. Reply STOP to opt out.' } = given;
      const at = clock.now();
      return database.inOrganization(organization.id, async (trx) => {
        const { settings } = await trx
          .selectFrom('organizations')
          .select('settings')
          .where('id', '=', organization.id)
          .executeTakeFirstOrThrow();
        const recipient = { mobile: contact.mobile, postalCode: null, timeZone: null };
        return insertMessage(trx, {
          organizationId: organization.id,
          source: given.source ?? 'user',
          purpose: given.purpose ?? 'transactional',
          line: given.line ?? organization.line,
          contact,
          userId: given.userId ?? null,
          body,
          segments: 1,
          direct,
          sendAt,
          due: given.held
            ? null
            : dueOf({ settings: withDefaults(settings), recipient, direct, from: sendAt ?? at, now: at }),
          at,
        });
      });
    },

    async message(id: string) {
      return system.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    },

    entries: ({ id }: Organization) =>
      system
        .selectFrom('outbox')
        .selectAll()
        .where('organization_id', '=', id)
        .orderBy('due_at')
        .orderBy('message_id')
        .execute(),
  });
}

const runAlone = <T>(activity: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(activity);

export const sid = (): string => `SM${randomUUID().replaceAll('-', '')}`;
