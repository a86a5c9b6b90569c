/** Messages whose reports stay away: when Twilio is asked about them, what its answers change, and what they never do. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createReconciliationActivities } from '../../activities/reconciliation.ts';
import { claimMessages } from '../../db/messages/outgoing.ts';
import { overdueLooks } from '../../db/messages/reconciliation.ts';
import { secretBox } from '../../db/secrets.ts';
import { applyStatusReports } from '../../db/messages/status-reports.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from '../dispatch/fixture.ts';

/** What Twilio answers when it is asked about a message. */
type Answer = { status: string; errorCode?: number; numSegments?: string } | { httpStatus: number } | { code: string };

let fixture: Fixture;
let acme: Organization;
const twilio = {
  asked: [] as string[],
  mostAtOnce: 0,
  atOnce: 0,
  answer: async (_sid: string): Promise<Answer> => ({ status: 'delivered' }),
};
const instant = { at: new Date() };
const secrets = secretBox(`k1:${Buffer.alloc(32, 1).toString('base64')}`);
const draining = new AbortController();

const client = {
  messages: (sid: string) => ({
    fetch: async () => {
      twilio.asked.push(sid);
      twilio.atOnce += 1;
      twilio.mostAtOnce = Math.max(twilio.mostAtOnce, twilio.atOnce);
      try {
        const answer = await twilio.answer(sid);
        if ('httpStatus' in answer) throw Object.assign(new Error('refused'), { status: answer.httpStatus });
        if ('code' in answer) throw Object.assign(new Error('away'), answer);
        return answer;
      } finally {
        twilio.atOnce -= 1;
      }
    },
  }),
};

beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(async () => {
  await fixture?.close();
});
beforeEach(async () => {
  acme = await fixture.organization();
  await fixture.database.system
    .updateTable('organizations')
    .set({ account_sid: `AC${randomUUID()}`, auth_token: secrets.encrypt('token') })
    .where('id', '=', acme.id)
    .execute();
  Object.assign(twilio, { asked: [], mostAtOnce: 0, answer: async () => ({ status: 'delivered' }) });
});

const start = Date.parse('2026-12-01T15:00:00Z');
const after = (minutes: number) => new Date(start + minutes * 60_000);
const hours = (count: number) => after(count * 60);

const activities = () =>
  createReconciliationActivities({
    database: fixture.database,
    clock: { now: () => instant.at, sync: async () => {} },
    twilio: { client: () => client, account: () => null, close: async () => {} } as never,
    secrets,
    draining: draining.signal,
  });
async function look(at: Date): Promise<Date | null> {
  instant.at = at;
  const work = () => activities().lookAtUnreported({ organizationId: acme.id });
  const { nextAt } = (await new MockActivityEnvironment().run(work)) as { nextAt: string | null };
  return nextAt === null ? null : new Date(nextAt);
}

const sidOf = (id: string) => `SM${id.slice(4).replaceAll('-', '')}`;

/** Messages that were claimed at 15:00, and are `sent` unless said otherwise. */
async function claimed(count: number, status = 'sent'): Promise<TestMassSms> {
  const massSms = await fixture.massSms(acme, count, { at: hours(-48) });
  const claim = () =>
    fixture.in(acme, (trx) => claimMessages(trx, massSms.range, { attemptId: 'a/1', limit: 500, now: after(0) }));
  while ((await claim()).claimed.length > 0);
  await sql`
    update messages set status = ${status}, accepted_at = ${after(0)},
      twilio_sid = case when ${status} in ('sending', 'in_doubt', 'queued') then null else 'SM' || replace(substr(id, 5), '-', '') end
    where mass_sms_id = ${massSms.id}`.execute(fixture.database.system);
  return massSms;
}
const statuses = async (massSms: TestMassSms) => (await fixture.messagesOf(massSms)).map((row) => row.status);
const awaited = async () => {
  const { rows } = await sql<{ message_ids: string[]; look_at: Date }>`
    select message_ids, look_at from awaited_reports where organization_id = ${acme.id} order by id`.execute(
    fixture.database.system,
  );
  return rows;
};
const report = (massSms: TestMassSms, status: 'delivered' | 'sent', at: Date) =>
  fixture.in(acme, (trx) =>
    applyStatusReports(
      trx,
      massSms.messages.map(({ id }) => ({ messageId: id, sid: sidOf(id), status, errorCode: null, at })),
    ),
  );

describe('what is claimed', () => {
  it('is remembered from the claim on, however long before it was made', async () => {
    const massSms = await claimed(3);
    const ids = massSms.messages.map(({ id }) => id);
    expect(await awaited()).toEqual([{ message_ids: ids, look_at: after(15) }]);
    expect(await look(after(14))).toEqual(after(15));
    expect(twilio.asked).toEqual([]);
  });

  it('and reported in time is never asked about', async () => {
    const massSms = await claimed(3);
    await report(massSms, 'delivered', after(1));
    expect(await look(after(15))).toBeNull();
    expect(twilio.asked).toEqual([]);
    expect(await awaited()).toEqual([]);
  });

  it('and looked up has as many segments as Twilio counted, whatever was estimated', async () => {
    const massSms = await claimed(1);
    const { id } = massSms.messages[0]!;
    await fixture.database.system.updateTable('messages').set({ segments: 1 }).where('id', '=', id).execute();
    twilio.answer = async () => ({ status: 'delivered', numSegments: '2' });
    await look(after(15));
    const read = fixture.database.system.selectFrom('messages').select(['status', 'segments']).where('id', '=', id);
    expect(await read.executeTakeFirst()).toEqual({ status: 'delivered', segments: 2 });
  });

  it('and given back is not awaited; claimed again it is', async () => {
    const massSms = await claimed(1, 'queued');
    expect(await look(after(15))).toBeNull();
    await fixture.in(acme, (trx) => claimMessages(trx, massSms.range, { attemptId: 'a/2', limit: 10, now: after(20) }));
    expect(await awaited()).toMatchObject([{ look_at: after(35) }]);
  });

  it('and in doubt has nothing to be asked by, and goes on being awaited', async () => {
    await claimed(1, 'in_doubt');
    expect(await look(after(15))).toEqual(after(60));
    expect(twilio.asked).toEqual([]);
  });

  it('is overdue for the sweep when its look is', async () => {
    await claimed(1);
    expect(await overdueLooks(fixture.database.system, after(15))).not.toContain(acme.id);
    expect(await overdueLooks(fixture.database.system, after(16))).toContain(acme.id);
  });
});

describe('after 15 minutes without a final status', () => {
  it('Twilio is asked once per message, and its answer counts like a report', async () => {
    const massSms = await claimed(4);
    await fixture.force([massSms.messages[0]!.id], { status: 'accepted' });
    await fixture.force([massSms.messages[1]!.id], { status: 'delivered' });
    expect(await look(after(15))).toBeNull();
    expect(twilio.asked.toSorted()).toEqual([0, 2, 3].map((index) => sidOf(massSms.messages[index]!.id)).toSorted());
    expect(await statuses(massSms)).toEqual(['delivered', 'delivered', 'delivered', 'delivered']);
    expect((await fixture.messagesOf(massSms))[2]).toMatchObject({ finished_at: after(15) });
    const { rows } = await sql`
      select count from mass_sms_tallies where mass_sms_id = ${massSms.id} and kind = 'delivered'`.execute(
      fixture.database.system,
    );
    expect(rows).toEqual([{ count: 4 }]);
    const { rows: events } = await sql`
      select status, at from message_events where message_id = ${massSms.messages[3]!.id}`.execute(
      fixture.database.system,
    );
    expect(events).toEqual([{ status: 'delivered', at: after(15) }]);
  });

  it('an undelivered message teaches the same as its report would have', async () => {
    const massSms = await claimed(3);
    const codes = [30_005, 21_610, 30_002];
    twilio.answer = async (sid) => {
      const index = massSms.messages.findIndex(({ id }) => sidOf(id) === sid);
      return { status: 'undelivered', errorCode: codes[index]! };
    };
    await look(after(15));
    expect((await fixture.messagesOf(massSms)).map((row) => row.error_code)).toEqual(codes);
    const { system } = fixture.database;
    const dead = await system
      .selectFrom('contacts')
      .select('phone_status')
      .where('id', '=', massSms.messages[0]!.contactId)
      .execute();
    expect(dead).toEqual([{ phone_status: 'invalid' }]);
    const optedOut = await system
      .selectFrom('opt_outs')
      .select('method')
      .where('phone_number', '=', massSms.messages[1]!.to)
      .execute();
    expect(optedOut).toEqual([{ method: 'twilio_21610' }]);
    const stopped = await system.selectFrom('mass_sms').select('status').where('id', '=', massSms.id).execute();
    expect(stopped).toEqual([{ status: 'error' }]);
  });
});

describe('while it stays open', () => {
  it('Twilio is asked ever more rarely; the message ends after 72 hours as `sent`, and still takes a report that comes later', async () => {
    const massSms = await claimed(1);
    twilio.answer = async () => ({ status: 'sent' });
    const looks = [15, 60, 360, 1_440, 4_320].map(after);
    for (const [index, at] of looks.entries()) {
      expect(await look(at)).toEqual(looks[index + 1] ?? null);
      expect(twilio.asked).toHaveLength(index + 1);
    }
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({ status: 'sent', finished_at: hours(72) });
    expect(await awaited()).toEqual([]);
    await report(massSms, 'delivered', hours(80));
    expect(await statuses(massSms)).toEqual(['delivered']);
  });

  it('a message that Twilio does not know keeps no other from its answer', async () => {
    const massSms = await claimed(3);
    const unknown = sidOf(massSms.messages[1]!.id);
    twilio.answer = async (sid) => (sid === unknown ? { httpStatus: 404 } : { status: 'delivered' });
    expect(await look(after(15))).toEqual(after(60));
    expect(await statuses(massSms)).toEqual(['delivered', 'sent', 'delivered']);
    expect(await awaited()).toMatchObject([{ message_ids: [massSms.messages[1]!.id] }]);
  });
});

describe('an answer', () => {
  it('that is older than a report which came meanwhile changes nothing', async () => {
    const massSms = await claimed(1, 'accepted');
    twilio.answer = async () => {
      await report(massSms, 'delivered', after(15));
      return { status: 'sent' };
    };
    expect(await look(after(15))).toBeNull();
    expect(await statuses(massSms)).toEqual(['delivered']);
  });

  it('that comes before the report itself leaves the report nothing to change', async () => {
    const massSms = await claimed(1);
    await look(after(15));
    await report(massSms, 'sent', after(16));
    await report(massSms, 'delivered', after(16));
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({ status: 'delivered', finished_at: after(15) });
  });

  it('given to two who ask at once counts once', async () => {
    const massSms = await claimed(20);
    expect(await Promise.all([look(after(15)), look(after(15))])).toEqual([null, null]);
    expect(new Set(await statuses(massSms))).toEqual(new Set(['delivered']));
  });
});

describe('when Twilio cannot be asked', () => {
  it('a 429 is heeded at once: what was answered counts, and the rest is asked a minute later', async () => {
    const massSms = await claimed(300);
    twilio.answer = async () => (twilio.asked.length <= 120 ? { status: 'delivered' } : { httpStatus: 429 });
    expect(await look(after(15))).toEqual(after(16));
    // Nobody was asked after the first refusal but those on their way already, ten at a time.
    expect(twilio.asked.length).toBeLessThanOrEqual(130);
    expect(twilio.mostAtOnce).toBe(10);
    expect((await statuses(massSms)).filter((status) => status === 'delivered')).toHaveLength(120);
    const before = twilio.asked.length;
    twilio.answer = async () => ({ status: 'delivered' });
    expect(await look(after(16))).toBeNull();
    expect(twilio.asked.length - before).toBe(180);
  });

  it.for([
    ['is ill', { httpStatus: 503 }, 1],
    ['is away', { code: 'ECONNREFUSED' }, 1],
    ['refuses the credentials', { httpStatus: 401 }, 60],
  ] as const)('and %s, it is asked again later', async ([, answer, minutes]) => {
    const massSms = await claimed(1);
    twilio.answer = async () => answer;
    expect(await look(after(15))).toEqual(after(15 + minutes));
    twilio.answer = async () => ({ status: 'delivered' });
    expect(await look(after(15 + minutes))).toBeNull();
    expect(await statuses(massSms)).toEqual(['delivered']);
  });

  it('because the organization has no account any more, the messages end as they are after four days', async () => {
    const massSms = await claimed(1);
    await fixture.database.system
      .updateTable('organizations')
      .set({ auth_token: null })
      .where('id', '=', acme.id)
      .execute();
    expect(await look(after(15))).toEqual(after(75));
    expect(await look(hours(96))).toEqual(hours(97));
    expect(await look(hours(97))).toBeNull();
    expect((await fixture.messagesOf(massSms))[0]).toMatchObject({ status: 'sent', finished_at: hours(97) });
  });
});

describe('a run', () => {
  it('asks about two thousand and calls for the next at once', async () => {
    const massSms = await claimed(2_600);
    expect(await look(after(15))).toEqual(after(15));
    expect(twilio.asked).toHaveLength(2_000);
    expect(await look(after(15))).toBeNull();
    expect(new Set(await statuses(massSms))).toEqual(new Set(['delivered']));
    expect(twilio.asked).toHaveLength(2_600);
  });

  it('that is cancelled keeps what it has learnt', async () => {
    const massSms = await claimed(250);
    const environment = new MockActivityEnvironment();
    instant.at = after(15);
    twilio.answer = async () => {
      if (twilio.asked.length === 150) environment.cancel();
      return { status: 'delivered' };
    };
    const work = () => activities().lookAtUnreported({ organizationId: acme.id });
    await expect(environment.run(work)).rejects.toThrow(/CANCELLED/i);
    expect((await statuses(massSms)).filter((status) => status === 'delivered')).toHaveLength(200);
    expect(await awaited()).toHaveLength(1);
  });
});
