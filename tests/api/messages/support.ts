/** An API whose organizations can send, with contacts to write to; what would wake Temporal is written down. */
import { randomInt } from 'node:crypto';
import type { Permission } from '../../../api/shared/permissions.ts';
import { addToThread } from '../../../db/conversations/conversations.ts';
import { newId } from '../../../db/ids.ts';
import { beginJob } from '../../../db/numbers/jobs.ts';
import { findNumberByPhone } from '../../../db/numbers/lines.ts';
import { beginRelease, recordReleased } from '../../../db/numbers/releases.ts';
import { type Api, type Client, startApi } from '../support.ts';

export interface Writer {
  organizationId: string;
  /** Acts as the user. */
  client: Client;
  /** Acts as nobody. */
  office: Client;
  user: { id: string; name: string };
  line: string;
}

interface ContactOptions {
  mobile?: string | null;
  consent?: boolean;
  firstName?: string;
  ownerId?: string;
  phoneStatus?: 'valid' | 'invalid' | 'missing';
}

export interface MessagesApi extends Api {
  /** The ids of workflows that were told, in order. */
  told: string[];
  /** An organization that may send, with a user and a line; its window open all day unless said otherwise. */
  writer(settings?: Record<string, unknown>): Promise<Writer>;
  /** One more user, with or without a line. */
  user(
    writer: Writer,
    line: 'registered' | 'unregistered' | null,
    permissions?: Permission[],
  ): Promise<{ id: string; client: Client }>;
  contact(writer: Writer, options?: ContactOptions): Promise<{ id: string; mobile: string }>;
  /** A line for a user who has none. @returns its number */
  giveLine(writer: Writer, userId: string): Promise<string>;
  /** Releases a line as the workflow does once Twilio has the number no more. */
  release(writer: Writer, line: string): Promise<void>;
  /** As if the contact had just written to the line. */
  hearFrom(writer: Writer, contact: { id: string; mobile: string }, at?: Date): Promise<void>;
}

export const wholeDay = {
  startTime: '00:00',
  endTime: '00:00',
  timeZone: 'America/Chicago',
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
};

const all: Permission[] = ['messages:send', 'messages:bulk', 'settings:manage', 'contacts:manage'];

export async function startMessagesApi(): Promise<MessagesApi> {
  const told: string[] = [];
  const tell = async (_type: string, { workflowId }: { workflowId: string }) => void told.push(workflowId);
  const connection = { withDeadline: (_at: number, work: () => unknown) => work() };
  const client = { connection, workflow: { signalWithStart: tell, start: tell } };
  const api = await startApi({ temporal: { client: client as never, ping: async () => {} } });
  const { database } = api;
  let nextNumber = randomInt(2_000_000, 8_000_000);

  const giveLine = async (organizationId: string, userId: string, registered: boolean): Promise<string> => {
    const at = api.clock.now();
    const id = newId('number', at);
    const phoneNumber = `+1312${(nextNumber += 1)}`;
    await database.inOrganization(organizationId, async (trx) => {
      const number = { id, organization_id: organizationId, phone_number: phoneNumber, twilio_sid: `PN${id}` };
      await trx
        .insertInto('phone_numbers')
        .values({ ...number, registered, purchased_at: at })
        .execute();
      await trx
        .insertInto('phone_number_users')
        .values({ organization_id: organizationId, number_id: id, user_id: userId })
        .execute();
    });
    return phoneNumber;
  };
  const makeUser = async (organization: { client: Client }, permissions: Permission[]) => {
    const made = await organization.client.post('/v1/users', {
      name: 'Sam Sender',
      email: `sam${(nextNumber += 1)}@acme.example`,
      permissions,
    });
    return made.body.id as string;
  };

  return Object.assign(api, {
    told,
    writer: async (settings: Record<string, unknown> = {}): Promise<Writer> => {
      const organization = await api.organization();
      await database.system
        .updateTable('organizations')
        .set({ module_on: true, account_sid: `AC${organization.id}`, auth_token: 'x', messaging_service_sid: 'MG1' })
        .where('id', '=', organization.id)
        .execute();
      const changed = await organization.client.patch('/v1/settings', { sendWindow: wholeDay, ...settings });
      if (changed.status !== 200) throw new Error(JSON.stringify(changed.body));
      const id = await makeUser(organization, all);
      const line = await giveLine(organization.id, id, true);
      return {
        organizationId: organization.id,
        client: api.client(organization.key, { 'longwave-user': id }),
        office: organization.client,
        user: { id, name: 'Sam Sender' },
        line,
      };
    },
    user: async (writer: Writer, line: 'registered' | 'unregistered' | null, permissions: Permission[] = all) => {
      const id = await makeUser({ client: writer.office }, permissions);
      if (line) await giveLine(writer.organizationId, id, line === 'registered');
      return { id, client: api.client(await api.key(writer.organizationId, { userId: id, permissions })) };
    },
    giveLine: (writer: Writer, userId: string) => giveLine(writer.organizationId, userId, true),
    release: ({ organizationId }: Writer, line: string) =>
      database.inOrganization(organizationId, async (trx) => {
        const at = api.clock.now();
        const number = await findNumberByPhone(trx, organizationId, line);
        const { id: jobId } = await beginJob(trx, { organizationId, kind: 'release', actor: 'test', at });
        await beginRelease(trx, { organizationId, jobId, numberIds: [number!.id], at });
        await recordReleased(trx, { organizationId, jobId, numberId: number!.id }, at);
      }),
    contact: async (writer: Writer, options: ContactOptions = {}) => {
      const { mobile = `+1208${(nextNumber += 1)}`, consent = true, ownerId, firstName } = options;
      const at = api.clock.now();
      const id = newId('contact', at);
      await database.inOrganization(writer.organizationId, (trx) =>
        trx
          .insertInto('contacts')
          .values({
            id,
            organization_id: writer.organizationId,
            first_name: firstName ?? null,
            mobile,
            owner_id: ownerId ?? null,
            phone_status: options.phoneStatus ?? (mobile === null ? 'missing' : 'valid'),
            consent_transactional: consent,
            consent_promotional: consent,
            created_at: at,
            updated_at: at,
          })
          .execute(),
      );
      return { id, mobile: mobile ?? '' };
    },
    hearFrom: async (writer: Writer, contact: { id: string; mobile: string }, at = api.clock.now()) => {
      const messageId = newId('message', at);
      const { organizationId, line } = writer;
      await database.inOrganization(organizationId, async (trx) => {
        await trx
          .insertInto('messages')
          .values({
            id: messageId,
            organization_id: organizationId,
            direction: 'inbound',
            source: 'contact',
            purpose: 'transactional',
            status: 'received',
            line,
            contact_number: contact.mobile,
            contact_id: contact.id,
            body: 'Hello?',
            created_at: at,
            finished_at: at,
          })
          .execute();
        const entry = { organizationId, line, contactNumber: contact.mobile, contactId: contact.id, messageId };
        await addToThread(trx, { ...entry, direction: 'inbound', at });
      });
    },
  });
}

/** What waits to leave, as rows. */
export const outboxOf = (api: Api, organizationId: string) =>
  api.database.system
    .selectFrom('outbox')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('due_at')
    .orderBy('message_id')
    .execute();
