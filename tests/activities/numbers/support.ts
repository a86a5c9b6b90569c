/** Numbers on real Postgres, with an account at Twilio that the tests play. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { NumberDeps } from '../../../activities/numbers/deps.ts';
import { type Database, openDatabase } from '../../../db/database.ts';
import { newId } from '../../../db/ids.ts';
import type { NumberJobRow, NumberRow, PurchaseRow } from '../../../db/schema.ts';
import { secretBox } from '../../../db/secrets.ts';
import { cloneDatabase } from '../../harness/infrastructure.ts';
import { somePhone as somePhoneOf } from '../../harness/phone-numbers.ts';

// Failures that tests play are not worth a page each.
const logger = new DefaultLogger('ERROR');
export const run = <T>(activity: () => Promise<T>): Promise<T> =>
  new MockActivityEnvironment({}, { logger }).run(activity);

const hex = () => randomUUID().replaceAll('-', '');
/** On sale in 415 unless said otherwise. */
export const somePhone = (areaCode = '415'): string => somePhoneOf(areaCode);

/** What Twilio answers instead of doing what it was asked. */
export const refusal = (status: number, code: number): Error =>
  Object.assign(new Error(`refused: ${code}`), { status, code });
export const cut = (): Error => Object.assign(new Error('the connection was cut'), { code: 'UND_ERR_SOCKET' });

const publicUrl = 'https://longwave.test';

interface Owned {
  sid: string;
  phoneNumber: string;
  friendlyName: string;
  voiceUrl: string;
  dateCreated: Date;
}

/** One account at Twilio: what it has, what it is asked, and what tests let go wrong. */
export class PlayedAccount {
  readonly owned: Owned[] = [];
  /** By area code. */
  readonly onSale: Record<string, string[]> = {};
  /** Every request, in order, as in `create +14155550100`; but not that each purchase first looks for its own name. */
  readonly asked: string[] = [];
  /** Lists do not show yet what was bought. */
  lists: 'complete' | 'behind' = 'complete';
  /** Come before Twilio's answer; what they throw is the answer. */
  before: Partial<
    Record<
      'search' | 'look' | 'create' | 'fetch' | 'remove' | 'attach' | 'detach' | 'member' | 'members' | 'update',
      Step
    >
  > = {};
  /** Come when Twilio has done it. */
  after: Partial<Record<'create', Step>> = {};

  /** The messaging service that a number is in, by its SID. */
  readonly serviceOf = new Map<string, string>();

  /** Numbers that messages were sent from or to. */
  readonly used = new Set<string>();

  has(
    phoneNumber: string,
    { friendlyName = 'By hand', dateCreated = new Date(0), voiceUrl = `${publicUrl}/twilio/voice` } = {},
  ): Owned {
    const number = { sid: `PN${hex()}`, phoneNumber, friendlyName, voiceUrl, dateCreated };
    this.owned.push(number);
    return number;
  }

  /** The numbers it was asked to sell, in order. */
  get bought(): string[] {
    return this.asked.flatMap((request) => (request.startsWith('create ') ? [request.slice(7)] : []));
  }

  async #ask(kind: keyof PlayedAccount['before'], what: string): Promise<void> {
    if (!what.startsWith('Longwave ')) this.asked.push(`${kind} ${what}`);
    await this.before[kind]?.(what);
  }

  /** As much of the SDK as the activities use. */
  get client(): unknown {
    const incomingPhoneNumbers = (sid: string) => {
      const found = () => {
        const number = this.owned.find((one) => one.sid === sid);
        if (!number) throw refusal(404, 20404);
        return number;
      };
      return {
        fetch: async () => (await this.#ask('fetch', sid), found()),
        update: async (settings: object) => (await this.#ask('update', sid), Object.assign(found(), settings)),
        remove: async () => {
          await this.#ask('remove', sid);
          this.owned.splice(this.owned.indexOf(found()), 1);
          return true;
        },
      };
    };
    const list = async ({ friendlyName, phoneNumber }: { friendlyName?: string; phoneNumber?: string }) => {
      await this.#ask('look', friendlyName ?? phoneNumber ?? 'all');
      if (this.lists === 'behind') return [];
      return this.owned.filter(
        (one) =>
          (friendlyName === undefined || one.friendlyName === friendlyName) &&
          (phoneNumber === undefined || one.phoneNumber === phoneNumber),
      );
    };
    const create = async ({ phoneNumber, friendlyName }: Owned) => {
      await this.#ask('create', phoneNumber);
      for (const shelf of Object.values(this.onSale)) {
        if (shelf.includes(phoneNumber)) shelf.splice(shelf.indexOf(phoneNumber), 1);
      }
      const number = this.has(phoneNumber, { friendlyName });
      await this.after.create?.(phoneNumber);
      return number;
    };
    const search = (country: string) => async (criteria: { areaCode: number }) => {
      await this.#ask('search', `${country} ${criteria.areaCode}`);
      return (this.onSale[criteria.areaCode] ?? []).map((phoneNumber) => ({ phoneNumber }));
    };
    const services = (service: string) => {
      const create = async ({ phoneNumberSid: sid }: { phoneNumberSid: string }) => {
        await this.#ask('attach', sid);
        const present = this.serviceOf.get(sid);
        if (present !== undefined) throw refusal(409, present === service ? 21710 : 21712);
        this.serviceOf.set(sid, service);
      };
      const phoneNumbers = (sid: string) => ({
        remove: async () => {
          await this.#ask('detach', sid);
          if (this.serviceOf.get(sid) !== service) throw refusal(404, 20404);
          return this.serviceOf.delete(sid);
        },
        fetch: async () => {
          await this.#ask('member', sid);
          if (this.serviceOf.get(sid) !== service) throw refusal(404, 20404);
          return { sid };
        },
      });
      const list = async () => {
        await this.#ask('members', service);
        const members = [...this.serviceOf].filter(([, sid]) => sid === service);
        return this.lists === 'behind' ? [] : members.map(([sid]) => ({ sid }));
      };
      return { phoneNumbers: Object.assign(phoneNumbers, { create, list }) };
    };
    return {
      messages: {
        list: async ({ from, to }: { from?: string; to?: string }) => (this.used.has((from ?? to)!) ? [{}] : []),
      },
      incomingPhoneNumbers: Object.assign(incomingPhoneNumbers, { list, create }),
      availablePhoneNumbers: (country: string) => ({ local: { list: search(country) } }),
      messaging: { v1: { services } },
    };
  }
}
type Step = (what: string) => Promise<void> | void;

export interface Numbers {
  database: Database;
  /** Of the product; the tests move it. */
  instant: { ms: number };
  deps: NumberDeps;
  /** An organization with an account of its own. */
  organization(change?: { messagingServiceSid?: string }): Promise<{ id: string; account: PlayedAccount }>;
  users(organizationId: string, mobiles: readonly (string | null)[]): Promise<string[]>;
  /** A line that a user has. */
  line(organizationId: string, change?: Partial<NumberRow> & { userId?: string }): Promise<NumberRow>;
  /** A run of one purchase. @returns what the activities are given */
  purchase(
    organizationId: string,
    change?: Partial<Pick<PurchaseRow, 'wanted' | 'user_ids' | 'state' | 'reason'>>,
    job?: Partial<NumberJobRow>,
  ): Promise<{ organizationId: string; purchaseId: string }>;
  purchaseOf(ref: { purchaseId: string }): Promise<PurchaseRow>;
  numbersOf(organizationId: string): Promise<(NumberRow & { userIds: string[] })[]>;
  /** Entries of the audit log as `action subject`, and whatever they hold as text. */
  auditOf(organizationId: string): Promise<{ acts: string[]; text: string }>;
  stop(): Promise<void>;
}

export async function startNumbers(): Promise<Numbers> {
  const own = await cloneDatabase();
  const database = openDatabase(own.url);
  const { system } = database;
  const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);
  const accounts = new Map<string, PlayedAccount>();
  const instant = { ms: Date.now() };
  const now = () => new Date(instant.ms);
  const client = ({ accountSid }: { accountSid: string }) => accounts.get(accountSid)!.client;
  return {
    database,
    instant,
    deps: {
      database,
      clock: { now, sync: async () => {} },
      secrets,
      twilio: { client, account: () => null, close: async () => {} } as never,
      publicUrl,
    },
    organization: async ({ messagingServiceSid } = {}) => {
      const id = newId('organization', now());
      const accountSid = `AC${hex()}`;
      const account = new PlayedAccount();
      accounts.set(accountSid, account);
      await system
        .insertInto('organizations')
        .values({
          id,
          name: 'Acme',
          domain: 'acme.example',
          time_zone: 'UTC',
          account_sid: accountSid,
          auth_token: secrets.encrypt('token'),
          messaging_service_sid: messagingServiceSid ?? null,
          created_at: now(),
          updated_at: now(),
        })
        .execute();
      return { id, account };
    },
    users: async (organizationId, mobiles) => {
      const users = mobiles.map((mobile, index) => {
        const id = newId('user', now());
        const times = { created_at: now(), updated_at: now() };
        return {
          id,
          organization_id: organizationId,
          name: `User ${index}`,
          email: `${id}@a.example`,
          mobile,
          ...times,
        };
      });
      await system.insertInto('users').values(users).execute();
      return users.map(({ id }) => id);
    },
    line: async (organizationId, { userId, ...change } = {}) => {
      const row = await system
        .insertInto('phone_numbers')
        .values({
          id: newId('number', now()),
          organization_id: organizationId,
          phone_number: somePhone(),
          twilio_sid: `PN${hex()}`,
          purchased_at: new Date(0),
          ...change,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      if (userId !== undefined) {
        const user = { organization_id: organizationId, number_id: row.id, user_id: userId };
        await system.insertInto('phone_number_users').values(user).execute();
      }
      return row;
    },
    purchase: async (organizationId, change = {}, job = {}) => {
      const [jobId, purchaseId] = [newId('numberJob', now()), newId('purchase', now())];
      const run = { id: jobId, organization_id: organizationId, kind: 'purchase' as const, created_at: now() };
      await system
        .insertInto('number_jobs')
        .values({ ...run, actor: 'user:usr_1', area_code: change.wanted ? null : '415', ...job })
        .execute();
      const ids = { id: purchaseId, organization_id: organizationId, job_id: jobId };
      await system
        .insertInto('number_purchases')
        .values({ ...ids, user_ids: [], state: 'waiting', ...change })
        .execute();
      return { organizationId, purchaseId };
    },
    purchaseOf: ({ purchaseId }) =>
      system.selectFrom('number_purchases').selectAll().where('id', '=', purchaseId).executeTakeFirstOrThrow(),
    numbersOf: async (organizationId) => {
      const rows = await system
        .selectFrom('phone_numbers')
        .selectAll()
        .where('organization_id', '=', organizationId)
        .where('released_at', 'is', null)
        .orderBy('id')
        .execute();
      const users = await system
        .selectFrom('phone_number_users')
        .select(['number_id', 'user_id'])
        .where('organization_id', '=', organizationId)
        .orderBy('user_id')
        .execute();
      const usersOf = ({ id }: NumberRow) => users.flatMap((user) => (user.number_id === id ? [user.user_id] : []));
      return rows.map((row) => Object.assign(row, { userIds: usersOf(row) }));
    },
    auditOf: async (organizationId) => {
      const rows = await system
        .selectFrom('audit_log')
        .selectAll()
        .where('organization_id', '=', organizationId)
        .orderBy('id')
        .execute();
      return { acts: rows.map(({ action, subject }) => `${action} ${subject}`), text: JSON.stringify(rows) };
    },
    stop: async () => {
      await database.close();
      await own.release();
    },
  };
}
