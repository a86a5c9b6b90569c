/** Usage by month, user, number and purpose, as JSON and as CSV. */
import { randomUUID } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import twilio from 'twilio';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../db/ids.ts';
import type { Purpose } from '../../../domain/purpose.ts';
import { type Api, type Organization, startApi } from '../support.ts';

let api: Api;
let acme: Organization;

beforeAll(async () => {
  api = await startApi();
  // No month ends in the middle of a test.
  api.clock.set(DateTime.utc().startOf('month').plus({ days: 14 }).toJSDate());
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.organization();
});

interface Sent {
  /** When Twilio accepted or refused it, or when it came in. */
  at: Date;
  direction?: 'inbound' | 'outbound';
  outcome?: 'accepted' | 'refused' | 'cancelled';
  line?: string;
  userId?: string | null;
  purpose?: Purpose;
  segments?: number;
}

/** Months before this one, at the middle of the month; 0 is this month's first moment. */
const monthsAgo = (months: number): Date => {
  const now = api.clock.now();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, months === 0 ? 1 : 15));
};
const nameOf = (at: Date): string => at.toISOString().slice(0, 7);

/** Writes messages as they are before they are attempted, and then what became of them. */
async function send(organization: Organization, messages: readonly Sent[]): Promise<void> {
  const db = api.database.system;
  for (const { at, direction = 'outbound', outcome = 'accepted', ...given } of messages) {
    const id = newId('message', at);
    const isInbound = direction === 'inbound';
    await db
      .insertInto('messages')
      .values({
        id,
        organization_id: organization.id,
        direction,
        source: isInbound ? 'contact' : 'user',
        purpose: given.purpose ?? 'transactional',
        status: isInbound ? 'received' : 'sending',
        line: given.line ?? '+13125550100',
        contact_number: '+14155550123',
        user_id: given.userId ?? null,
        body: 'Hello',
        segments: given.segments ?? 1,
        created_at: at,
      })
      .execute();
    if (isInbound) continue;
    await db
      .updateTable('messages')
      .set({
        ...(outcome === 'accepted' && { status: 'accepted', accepted_at: at }),
        ...(outcome === 'refused' && { status: 'failed', finished_at: at, error_code: 21_211 }),
        ...(outcome === 'cancelled' && { status: 'cancelled', finished_at: at }),
      })
      .where('id', '=', id)
      .execute();
  }
}

const usage = async (query = '', client = acme.client) => (await client.get(`/v1/usage${query}`)).body;
const none = { messages: 0, segments: 0 };

describe('usage', () => {
  test('has an item for each of thirteen months, the current one first', async () => {
    await send(acme, [{ at: monthsAgo(0), segments: 3 }, { at: monthsAgo(0) }, { at: monthsAgo(12) }]);
    const { by, from, to, items } = await usage();
    expect({ by, from, to }).toEqual({ by: 'month', from: nameOf(monthsAgo(12)), to: nameOf(monthsAgo(0)) });
    expect(items.map(({ month }: { month: string }) => month)).toEqual(
      Array.from({ length: 13 }, (_, back) => nameOf(monthsAgo(back))),
    );
    expect(items[0]).toEqual({ month: to, outbound: { messages: 2, segments: 4 }, inbound: none });
    expect(items[1]).toEqual({ month: nameOf(monthsAgo(1)), outbound: none, inbound: none });
    expect(items[12]).toEqual({ month: from, outbound: { messages: 1, segments: 1 }, inbound: none });
  });

  test('ends a month with its last millisecond of UTC, whatever the zone of the organization', async () => {
    const first = monthsAgo(0);
    await send(acme, [{ at: new Date(first.getTime() - 1) }, { at: first }, { at: new Date(first.getTime() - 1) }]);
    const { items } = await usage('?months=2');
    expect(items.map(({ outbound }: { outbound: { messages: number } }) => outbound.messages)).toEqual([1, 2]);
  });

  test('counts what was refused and what came in, and not what was cancelled', async () => {
    const at = monthsAgo(0);
    await send(acme, [
      { at, outcome: 'refused', segments: 2 },
      { at, outcome: 'cancelled' },
      { at, direction: 'inbound', segments: 4 },
    ]);
    expect((await usage('?months=1')).items).toEqual([
      { month: nameOf(at), outbound: { messages: 1, segments: 2 }, inbound: { messages: 1, segments: 4 } },
    ]);
  });

  test('goes no further back than thirteen months, and knows no other division', async () => {
    for (const query of ['?months=0', '?months=14', '?months=1.5', '?months=x', '?by=contact']) {
      expect((await acme.client.get(`/v1/usage${query}`)).status, query).toBe(400);
    }
    expect((await usage('?months=1')).items).toHaveLength(1);
  });

  test('by each division equals what was sent, whatever was sent', async () => {
    const users = [newId('user', new Date()), newId('user', new Date())];
    const message = fc.record({
      ago: fc.integer({ min: 0, max: 14 }),
      direction: fc.constantFrom('outbound' as const, 'inbound' as const),
      outcome: fc.constantFrom('accepted' as const, 'refused' as const, 'cancelled' as const),
      line: fc.constantFrom('+13125550100', '+13125550101', '+13125550102'),
      userId: fc.constantFrom(null, ...users),
      purpose: fc.constantFrom('transactional' as const, 'promotional' as const),
      segments: fc.integer({ min: 1, max: 9 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 25 }), fc.integer({ min: 1, max: 13 }), async (given, months) => {
        const organization = await api.organization();
        const messages = given.map(({ ago, ...rest }) => ({ ...rest, at: monthsAgo(ago) }));
        await send(organization, messages);
        const shown = messages.filter(
          ({ at, direction, outcome }) =>
            at >= new Date(monthsAgo(months - 1).setUTCDate(1)) && (direction === 'inbound' || outcome !== 'cancelled'),
        );
        const dimensions = { month: null, user: 'userId', number: 'line', purpose: 'purpose' } as const;
        for (const [by, field] of Object.entries(dimensions)) {
          const { items } = await usage(`?by=${by}&months=${months}`, organization.client);
          const found = new Map<string, unknown>();
          for (const { month, outbound, inbound, userId, phoneNumber, purpose } of items) {
            if (outbound.messages + inbound.messages === 0) continue;
            found.set(`${month} ${userId ?? phoneNumber ?? purpose ?? ''}`, { outbound, inbound });
          }
          const expected = new Map<string, { outbound: typeof none; inbound: typeof none }>();
          for (const one of shown) {
            const key = `${nameOf(one.at)} ${field ? (one[field] ?? '') : ''}`;
            const sums = expected.get(key) ?? { outbound: { ...none }, inbound: { ...none } };
            sums[one.direction].messages += 1;
            sums[one.direction].segments += one.segments;
            expected.set(key, sums);
          }
          expect(found, by).toEqual(expected);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('is in a stable order: latest month first, then by value, messages of no user last', async () => {
    const [a, b] = [newId('user', new Date()), newId('user', new Date())].toSorted();
    const [now, before] = [monthsAgo(0), monthsAgo(1)];
    await send(acme, [
      { at: before, userId: a! },
      { at: now },
      { at: now, userId: b! },
      { at: now, userId: a!, direction: 'inbound' },
    ]);
    const { items } = await usage('?by=user');
    expect(items.map(({ month, userId }: Record<string, string>) => [month, userId])).toEqual([
      [nameOf(now), a],
      [nameOf(now), b],
      [nameOf(now), null],
      [nameOf(before), a],
    ]);
  });

  test('by number names those that were released, and the newer id of one that was bought again', async () => {
    const at = monthsAgo(0);
    const number = async (line: string, more: object) => {
      const id = newId('number', at);
      const values = { id, organization_id: acme.id, phone_number: line, twilio_sid: `PN${id}`, purchased_at: at };
      await api.database.system
        .insertInto('phone_numbers')
        .values({ ...values, ...more })
        .execute();
      return id;
    };
    const [released, again, unknown] = ['+13125550111', '+13125550112', '+13125550113'];
    await send(acme, [
      { at, line: released },
      { at, line: again },
      { at, line: unknown },
    ]);
    const gone = await number(released, { released_at: at });
    await number(again, { released_at: at });
    const live = await number(again, {});
    expect((await usage('?by=number')).items).toMatchObject([
      { phoneNumber: released, numberId: gone },
      { phoneNumber: again, numberId: live },
      { phoneNumber: unknown, numberId: null },
    ]);
  });

  test("is the organization's own, and for those with the permission", async () => {
    await send(acme, [{ at: monthsAgo(0) }]);
    const other = await api.organization({ name: 'Other' });
    expect((await usage('?by=number', other.client)).items).toEqual([]);
    const may = api.client(await api.key(acme.id, { permissions: ['usage:read'] }));
    expect((await usage('?by=number', may)).items).toHaveLength(1);
    const mayNot = api.client(await api.key(acme.id, { permissions: ['settings:manage'] }));
    expect(await mayNot.get('/v1/usage')).toMatchObject({ status: 403, body: { permission: 'usage:read' } });
  });
});

describe('usage as CSV', () => {
  const asCsv = (query: string, accept = 'text/csv') => acme.client.get(`/v1/usage${query}`, undefined, { accept });

  test('has a header row and the figures of the JSON', async () => {
    const at = monthsAgo(0);
    const userId = newId('user', at);
    await send(acme, [
      { at, userId, segments: 2 },
      { at, direction: 'inbound' },
    ]);
    const { status, headers, body } = await asCsv('?by=user&months=1');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('vary')).toBe('accept');
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="usage-by-user-${nameOf(at)}-${nameOf(at)}.csv"`,
    );
    const month = nameOf(at);
    expect(body).toBe(
      'month,userId,outboundMessages,outboundSegments,inboundMessages,inboundSegments\r\n' +
        `${month},${userId},1,2,0,0\r\n${month},,0,0,1,1\r\n`,
    );
    for (const by of ['month', 'number', 'purpose']) {
      const rows = parse((await asCsv(`?by=${by}`)).body, { columns: true }) as Record<string, string>[];
      expect(rows).toHaveLength((await usage(`?by=${by}`)).items.length);
    }
  });

  test('leaves phone numbers as they are, and makes nothing else a formula', async () => {
    const lines = ['+13125550100', '=HYPERLINK("x"),1', '-1+1'];
    await send(
      acme,
      lines.map((line) => ({ at: monthsAgo(0), line })),
    );
    const rows = parse((await asCsv('?by=number')).body, { columns: true }) as Record<string, string>[];
    expect(rows.map((row) => row['phoneNumber'])).toEqual(['+13125550100', "'-1+1", `'=HYPERLINK("x"),1`]);
  });

  test.each([
    ['text/csv', 'csv'],
    ['TEXT/CSV; charset=utf-8', 'csv'],
    ['text/csv, application/json;q=0.5', 'csv'],
    ['application/json, text/csv;q=0.5', 'json'],
    ['text/csv;q=0', 'json'],
    ['text/html, */*', 'json'],
    ['', 'json'],
  ])('is what is answered to Accept: %s … %s', async (accept, expected) => {
    expect((await asCsv('', accept)).headers.get('content-type')).toContain(expected);
  });
});

test("what comes in counts with Twilio's segments", async () => {
  const token = 'a'.repeat(32);
  const accountSid = `AC${randomUUID().replaceAll('-', '')}`;
  await api.database.system
    .updateTable('organizations')
    .set({ account_sid: accountSid, auth_token: api.app.deps.secrets.encrypt(token) })
    .where('id', '=', acme.id)
    .execute();
  for (const segments of ['3', undefined, 'many']) {
    const form = {
      AccountSid: accountSid,
      MessageSid: `SM${randomUUID().replaceAll('-', '')}`,
      From: '+14155550123',
      To: '+13125550100',
      Body: 'Hello',
      ...(segments !== undefined && { NumSegments: segments }),
    };
    const signature = twilio.getExpectedTwilioSignature(token, 'https://longwave.test/twilio/inbound', form);
    const response = await fetch(`${api.url}/twilio/inbound`, {
      method: 'POST',
      headers: { 'x-twilio-signature': signature },
      body: new URLSearchParams(form),
    });
    expect(response.status).toBe(200);
  }
  expect((await usage('?months=1')).items[0].inbound).toEqual({ messages: 3, segments: 5 });
});
