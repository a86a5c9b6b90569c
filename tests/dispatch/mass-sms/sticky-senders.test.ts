/** From which number a contact hears: the same one for as long as it is there, and evenly spread (B8). */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../db/ids.ts';
import { createMassSms, sendingPools } from '../../../db/mass-sms/create.ts';
import { withDefaults } from '../../../domain/settings.ts';
import { type Fixture, openFixture, type Organization } from '../fixture.ts';

let fixture: Fixture;
let acme: Organization;
beforeAll(async () => {
  fixture = await openFixture();
  acme = await fixture.organization();
});
afterAll(async () => {
  await fixture?.close();
});

const [a, b, c, d] = ['+13125550001', '+13125550002', '+13125550003', '+13125550004'] as const;
const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const sendWindow = { startTime: '00:00', endTime: '00:00', timeZone: 'UTC', days: [...everyDay] };

/** A list of so many contacts. */
async function contacts(organization: Organization, count: number, first = 0): Promise<string> {
  const at = new Date();
  const list = newId('list', at);
  await fixture.in(organization, async (trx) => {
    await trx
      .insertInto('contact_lists')
      .values({ id: list, organization_id: organization.id, name: list, created_at: at })
      .execute();
    await sql`
      with made as (
        insert into contacts (id, organization_id, mobile, phone_status, consent_transactional, consent_promotional,
          created_at, updated_at)
        select 'con_' || uuid_v7(${at}), ${organization.id}, '+1415' || (2000000 + i)::text, 'valid', true, true, ${at}, ${at}
        from generate_series(${first}::int, ${first + count - 1}::int) i returning id, mobile)
      insert into contact_list_members (organization_id, list_id, contact_id)
      select ${organization.id}, ${list}, id from made order by mobile`.execute(trx);
  });
  return list;
}

/** Creates a mass SMS to a list. @returns the line each contact hears from, by the contact's number */
async function send(organization: Organization, list: string, lines: readonly string[], poolId = organization.poolId) {
  return fixture.in(organization, async (trx) => {
    const now = new Date();
    const created = await createMassSms(trx, {
      organizationId: organization.id,
      name: 'Test',
      audience: { list, purpose: 'promotional' },
      pool: { id: poolId, lines },
      body: 'We are hiring.',
      values: {},
      timeZone: 'UTC',
      startAt: now,
      allowWeekends: true,
      atWindowClose: 'continue',
      createdBy: 'test',
      settings: withDefaults({ sendWindow }),
      segmentsPerSecond: null,
      now,
    });
    if (created.kind !== 'created') throw new Error('the audience is empty');
    const rows = await trx
      .selectFrom('messages')
      .select(['contact_number', 'line'])
      .where('mass_sms_id', '=', created.id)
      .execute();
    return new Map(rows.map((row) => [row.contact_number, row.line]));
  });
}

const count = (heard: ReadonlyMap<string, string>, line: string): number =>
  [...heard.values()].filter((one) => one === line).length;

/** Within five standard deviations of an even share: a fair choice fails once in a million. */
function expectEven(heard: ReadonlyMap<string, string>, lines: readonly string[]): void {
  const share = heard.size / lines.length;
  const deviation = Math.sqrt(share * (1 - 1 / lines.length));
  for (const line of lines) {
    expect(count(heard, line)).toBeGreaterThanOrEqual(share - 5 * deviation);
    expect(count(heard, line)).toBeLessThanOrEqual(share + 5 * deviation);
  }
  expect(new Set(heard.values())).toEqual(new Set(lines));
}

describe('a contact', () => {
  it('hears from the same number however the pool grows, and new contacts use what came to it', async () => {
    const organization = await fixture.organization();
    const known = await contacts(organization, 600);
    const before = await send(organization, known, [a, b]);
    expectEven(before, [a, b]);
    expect(await send(organization, known, [a, b, c])).toEqual(before);
    expect(await send(organization, known, [d, c, b, a])).toEqual(before);
    expectEven(await send(organization, await contacts(organization, 600, 1_000), [a, b, c]), [a, b, c]);
  });

  it('moves only when its number is gone, and then stays where it went', async () => {
    const organization = await fixture.organization();
    const list = await contacts(organization, 1_200);
    const before = await send(organization, list, [a, b, c]);
    const after = await send(organization, list, [a, c]);
    const moved = new Map([...after].filter(([contact]) => before.get(contact) === b));
    const others = new Map([...after].filter(([contact]) => before.get(contact) !== b));
    expectEven(moved, [a, c]);
    for (const [contact, line] of others) expect(line).toBe(before.get(contact));
    expect(await send(organization, list, [a, b, c])).toEqual(after);
  });

  it.for([
    { what: 'every other number goes', lost: [b, d], lines: [a, c] },
    { what: 'all numbers but one go', lost: [a, b, c], lines: [d] },
    { what: 'two go and one comes', lost: [a, b], lines: [c, d, '+13125550005'] },
    { what: 'one goes and one comes', lost: [d], lines: ['+13125550000', a, b, c] },
  ])('who loses a number is spread over all there are then: $what', async (change) => {
    const organization = await fixture.organization();
    const list = await contacts(organization, 2_000);
    const before = await send(organization, list, [a, b, c, d]);
    const after = await send(organization, list, change.lines);
    const lost: readonly string[] = change.lost;
    const moved = new Map([...after].filter(([contact]) => lost.includes(before.get(contact)!)));
    expect(moved.size).toBe([...before.values()].filter((line) => lost.includes(line)).length);
    expectEven(moved, change.lines);
  });

  it('has a number of its own in each pool', async () => {
    const organization = await fixture.organization();
    const at = new Date();
    const other = newId('pool', at);
    await fixture.database.system
      .insertInto('number_pools')
      .values({ id: other, organization_id: organization.id, name: 'Other', purpose: 'promotional', created_at: at })
      .execute();
    const list = await contacts(organization, 50);
    await send(organization, list, [a]);
    expect(count(await send(organization, list, [b], other), b)).toBe(50);
    expect(count(await send(organization, list, [a, c]), a)).toBe(50);
  });
});

describe('what is kept', () => {
  const kept = (organization: Organization) =>
    sql<{ contact: string; line: string; written: string }>`
      select contact_number as contact, line, xmin::text as written from sticky_senders
      where organization_id = ${organization.id} order by 1`.execute(fixture.database.system);

  it('is written for those only who have no number that sends', async () => {
    const organization = await fixture.organization();
    const list = await contacts(organization, 300);
    await send(organization, list, [a, b]);
    const { rows: first } = await kept(organization);
    expect(first).toHaveLength(300);
    await send(organization, list, [a, b, c]);
    expect((await kept(organization)).rows).toEqual(first);
    await send(organization, list, [a, c]);
    for (const [index, row] of (await kept(organization)).rows.entries()) {
      expect(row.written === first[index]!.written).toBe(first[index]!.line === a);
    }
  });

  it('agrees with what was sent when many mass SMS are made for the same contacts at once', async () => {
    const list = await contacts(acme, 400);
    const pools = [
      [a, b],
      [a, b],
      [b, a],
      [a, b],
      [a, b],
    ];
    const heard = await Promise.all(pools.map((lines) => send(acme, list, lines)));
    const { rows } = await kept(acme);
    const now = new Map(rows.map((row) => [row.contact, row.line]));
    expect(now.size).toBe(400);
    for (const one of heard) expect(one).toEqual(now);
    expect(await send(acme, list, [a, b, c])).toEqual(now);
  });

  it('survives that mass SMS made at once see different pools', async () => {
    const list = await contacts(acme, 400, 1_000);
    const pools = [
      [a, b],
      [c, d],
      [a, d],
      [b, c],
      [a, b, c, d],
    ];
    await Promise.all(pools.map((lines) => send(acme, list, lines)));
    const settled = await send(acme, list, [a, b, c, d]);
    expect(await send(acme, list, [a, b, c, d])).toEqual(settled);
  });
});

it('only numbers that are registered, used, not released and not about to be count as lines of a pool', async () => {
  const organization = await fixture.organization();
  const numbers = await fixture.numbers(organization, 6);
  const at = new Date();
  const changes = [
    {},
    { registered: false },
    { released_at: at },
    { releasing_since: at },
    { orphan_since: at },
    { pool_id: null },
  ];
  for (const [index, change] of changes.entries()) {
    if (index === 0) continue;
    await fixture.database.system
      .updateTable('phone_numbers')
      .set(change)
      .where('id', '=', numbers[index]!.id)
      .execute();
  }
  expect(await fixture.in(organization, (trx) => sendingPools(trx, organization.id))).toEqual([
    { id: organization.poolId, name: 'Main', purpose: 'promotional', lines: [numbers[0]!.line] },
  ]);
});
