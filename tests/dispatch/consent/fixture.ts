/** Users, contacts and what became of opt-in requests, as rows: what the tests of their answers begin and end with. */
import { sql } from 'kysely';
import { newId } from '../../../db/ids.ts';
import { somePhone } from '../../harness/phone-numbers.ts';
import type { Fixture, Organization } from '../fixture.ts';

const start = Date.parse('2026-12-01T15:00:00Z');
export const at = (hours: number) => new Date(start + hours * 3_600_000);

export interface Person {
  id: string;
  mobile: string;
}

export function optInRows({ database: { system } }: Fixture) {
  /** A user with a line: the organization's first one unless said otherwise. */
  async function userOf(of: Organization, line = of.line): Promise<string> {
    const stamps = { created_at: at(0), updated_at: at(0) };
    const id = newId('user', at(0));
    await system
      .insertInto('users')
      .values({ id, organization_id: of.id, name: 'Ada Lane', email: `${id}@acme.example`, ...stamps })
      .execute();
    let number = await system
      .selectFrom('phone_numbers')
      .select('id')
      .where('phone_number', '=', line)
      .executeTakeFirst();
    number ??= await system
      .insertInto('phone_numbers')
      .values({
        id: newId('number', at(0)),
        organization_id: of.id,
        phone_number: line,
        twilio_sid: `PN${line}`,
        registered: true,
        purchased_at: at(0),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await system
      .insertInto('phone_number_users')
      .values({ organization_id: of.id, number_id: number.id, user_id: id })
      .execute();
    return id;
  }

  async function person(of: Organization, mobile = somePhone('415')): Promise<Person> {
    const id = newId('contact', at(0));
    await system
      .insertInto('contacts')
      .values({ id, organization_id: of.id, mobile, phone_status: 'valid', created_at: at(0), updated_at: at(0) })
      .execute();
    return { id, mobile };
  }

  const stateOf = async (id: string) =>
    (await system.selectFrom('opt_in_requests').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state;
  const consents = async ({ id }: Person) =>
    (
      await system
        .selectFrom('contacts')
        .select('consent_transactional as given')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
    ).given;
  const message = async (id: string) => {
    const { rows } = await sql<Record<string, unknown>>`
      select m.status, m.cancel_reason, o.due_at, o.held_reason from messages m left join outbox o on o.message_id = m.id
      where m.id = ${id}`.execute(system);
    return rows[0]!;
  };
  const confirmations = async ({ mobile }: Person) => {
    const { rows } = await sql<{ body: string; direct: boolean; status: string }>`
      select body, direct, status from messages
      where contact_number = ${mobile} and source = 'opt_in' and direct`.execute(system);
    return rows;
  };
  const ledger = ({ id }: Person) =>
    system
      .selectFrom('consent_ledger')
      .selectAll()
      .where('contact_id', '=', id)
      .where('method', '=', 'opt_in_reply')
      .execute();

  const waitingForLocks = async (): Promise<number> => {
    const { rows } = await sql<{ count: number }>`
      select count(*) as count from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`.execute(system);
    return rows[0]!.count;
  };

  return { waitingForLocks, userOf, person, stateOf, consents, message, confirmations, ledger };
}
