/** What becomes of each number when an account is compared with ours (B10), and of ours that the account has no more. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPurchaseActivities } from '../../../activities/numbers/buy.ts';
import { checkAccount } from '../../../activities/numbers/check.ts';
import { eventsAfter, lastEventId } from '../../../db/conversations/live-events.ts';
import { insertMessage } from '../../../db/messages/messages.ts';
import { accountsToCheck } from '../../../db/numbers/orphans.ts';
import { purchaseTag } from '../../../domain/numbers/purchases.ts';
import { type Numbers, type PlayedAccount, refusal, run, somePhone, startNumbers } from './support.ts';

let numbers: Numbers;
let id: string;
let account: PlayedAccount;
beforeAll(async () => {
  numbers = await startNumbers();
});
afterAll(() => numbers?.stop());
beforeEach(async () => {
  ({ id, account } = await numbers.organization());
});

const check = () => checkAccount(numbers.deps, id);
const minutesAgo = (minutes: number) => new Date(numbers.instant.ms - minutes * 60_000);
const phones = async () => (await numbers.numbersOf(id)).map((row) => row.phone_number);
const acts = async () => (await numbers.auditOf(id)).acts;
const removed = () => account.asked.filter((asked) => asked.startsWith('remove '));

/** A number at Twilio that a purchase in this state bought, for one user. */
async function boughtBy(change: { state?: 'waiting' | 'failed' | 'provisioned'; reason?: string }) {
  const [userId] = await numbers.users(id, [null]);
  const ref = await numbers.purchase(id, { user_ids: [userId!], ...change } as never);
  const number = account.has(somePhone(), { friendlyName: purchaseTag(ref.purchaseId) });
  return { userId: userId!, ref, number };
}

describe('a number that is not on record', () => {
  it('and was not bought by us is shown as an orphan: once, however often it is looked for', async () => {
    const { sid, phoneNumber } = account.has(somePhone(), { dateCreated: minutesAgo(60) });
    await check();
    await check();
    await check();
    const rows = await numbers.numbersOf(id);
    expect(rows).toMatchObject([
      { phone_number: phoneNumber, twilio_sid: sid, userIds: [], pool_id: null, registered: false },
    ]);
    expect(rows[0]!.orphan_since).toBeInstanceOf(Date);
    expect(rows[0]!.purchased_at).toEqual(minutesAgo(60));
    expect(await acts()).toEqual([`number.orphan_found ${rows[0]!.id}`]);
    expect(removed()).toEqual([]);
  });

  it('and is marked with a purchase nobody knows is shown, not released', async () => {
    account.has(somePhone(), { friendlyName: purchaseTag(`npu_${randomUUID()}`) });
    await check();
    expect(await numbers.numbersOf(id)).toMatchObject([{ orphan_since: expect.any(Date) }]);
    expect(removed()).toEqual([]);
  });

  it('and is marked with a purchase of another organization is shown, not given to that one', async () => {
    const other = await numbers.organization();
    const theirs = await numbers.purchase(other.id, { state: 'failed', reason: 'gave_up' });
    account.has(somePhone(), { friendlyName: purchaseTag(theirs.purchaseId) });
    await check();
    expect(await numbers.numbersOf(id)).toMatchObject([{ orphan_since: expect.any(Date) }]);
    expect(await numbers.numbersOf(other.id)).toEqual([]);
    expect(await numbers.purchaseOf(theirs)).toMatchObject({ state: 'failed' });
  });

  it('and whose purchase is under way is left to it', async () => {
    const { ref } = await boughtBy({ state: 'waiting' });
    await check();
    expect([await phones(), await acts(), removed()]).toEqual([[], [], []]);
    expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'waiting' });
  });

  it('and whose purchase was given up goes to its users, who still lack a line', async () => {
    const { userId, ref, number } = await boughtBy({ state: 'failed', reason: 'gave_up' });
    await check();
    const rows = await numbers.numbersOf(id);
    expect(rows).toMatchObject([{ phone_number: number.phoneNumber, userIds: [userId], orphan_since: null }]);
    expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'provisioned', number_id: rows[0]!.id, reason: null });
    expect(await acts()).toEqual([`number.orphan_adopted ${rows[0]!.id}`]);
    await check();
    expect([(await acts()).length, removed()]).toEqual([1, []]);
  });

  it('and whose purchase for a pool was given up joins the pool', async () => {
    const pool = { id: `pol_${randomUUID()}`, organization_id: id, name: 'Main', purpose: 'promotional' as const };
    await numbers.database.system
      .insertInto('number_pools')
      .values({ ...pool, created_at: new Date() })
      .execute();
    const ref = await numbers.purchase(id, { state: 'failed', reason: 'gave_up' }, { pool_id: pool.id });
    account.has(somePhone(), { friendlyName: purchaseTag(ref.purchaseId) });
    await check();
    expect(await numbers.numbersOf(id)).toMatchObject([{ pool_id: pool.id, orphan_since: null }]);
  });

  describe.for([
    ['has a line meanwhile', (userId: string) => numbers.line(id, { userId, purchased_at: new Date() })],
    ['is being bought one', (userId: string) => numbers.purchase(id, { user_ids: [userId] })],
    [
      'is inactive',
      (userId: string) =>
        numbers.database.system.updateTable('users').set({ active: false }).where('id', '=', userId).execute(),
    ],
  ] as const)('and whose purchase was given up for somebody who %s', ([, meanwhile]) => {
    it('is released', async () => {
      const { userId, ref, number } = await boughtBy({ state: 'failed', reason: 'gave_up' });
      await meanwhile(userId);
      const before = await phones();
      await check();
      expect(removed()).toEqual([`remove ${number.sid}`]);
      expect(await phones()).toEqual(before);
      expect(await acts()).toEqual([`number.orphan_released ${ref.purchaseId}`]);
    });
  });

  it.for(['cancelled', 'no_numbers', 'has_line'] as const)(
    'and whose purchase failed (%s) is released',
    async (reason) => {
      const { number, ref } = await boughtBy({ state: 'failed', reason });
      await check();
      expect(removed()).toEqual([`remove ${number.sid}`]);
      expect(await numbers.numbersOf(id)).toEqual([]);
      expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'failed', reason });
    },
  );

  it('and whose purchase has got another one is released; the other one stays', async () => {
    const { number, userId } = await boughtBy({ state: 'provisioned' });
    const { sid: twilio_sid } = account.has(somePhone());
    const line = await numbers.line(id, { userId, twilio_sid });
    await check();
    expect(removed()).toEqual([`remove ${number.sid}`]);
    expect(await phones()).toEqual([line.phone_number]);
  });

  it('and is younger than ten minutes is left alone, whoever bought it', async () => {
    account.has(somePhone(), { dateCreated: minutesAgo(9) });
    const ref = await numbers.purchase(id, { state: 'failed', reason: 'cancelled' });
    account.has(somePhone(), { friendlyName: purchaseTag(ref.purchaseId), dateCreated: minutesAgo(9) });
    await check();
    expect([await phones(), await acts(), removed()]).toEqual([[], [], []]);
    numbers.instant.ms += 2 * 60_000;
    await check();
    expect([(await phones()).length, removed().length]).toEqual([1, 1]);
  });

  it('when the list was asked for and is by now, is no orphan: its purchase went on after a long outage', async () => {
    account.onSale['415'] = [somePhone()];
    const [userId] = await numbers.users(id, [null]);
    const ref = await numbers.purchase(id, { user_ids: [userId!] });
    const activities = createPurchaseActivities(numbers.deps);
    account.after.create = () => {
      throw new Error('the worker dies');
    };
    await expect(run(() => activities.buyNumber(ref))).rejects.toThrow('dies');
    numbers.instant.ms += 3_600_000;
    // Ours were read, theirs were not: now the purchase that another worker has taken up is written down.
    let isFirst = true;
    account.before.look = async (what) => {
      if (what !== 'all' || !isFirst) return;
      isFirst = false;
      expect(await run(() => activities.buyNumber(ref))).toBe('provisioned');
    };
    await check();
    expect(removed()).toEqual([]);
    expect(account.owned).toHaveLength(1);
    expect(await numbers.numbersOf(id)).toMatchObject([{ userIds: [userId], orphan_since: null }]);
  });

  it('any more, since it was released a moment ago, is no orphan although the list still shows it', async () => {
    const { sid: twilio_sid, phoneNumber: phone_number } = account.has(somePhone());
    await numbers.line(id, { twilio_sid, phone_number, released_at: minutesAgo(5) });
    await check();
    expect([await phones(), await acts()]).toEqual([[], []]);
  });

  it('and that was left over, but used, is shown: whoever uses it must not lose it', async () => {
    const { number } = await boughtBy({ state: 'failed', reason: 'cancelled' });
    account.used.add(number.phoneNumber);
    await check();
    expect([removed(), await phones()]).toEqual([[], [number.phoneNumber]]);
    expect(await numbers.numbersOf(id)).toMatchObject([{ orphan_since: expect.any(Date) }]);
  });

  it('and that another deployment has bought under the same purchase is shown: it is theirs to release', async () => {
    const ref = await numbers.purchase(id, { state: 'failed', reason: 'cancelled' });
    const friendlyName = purchaseTag(ref.purchaseId);
    account.has(somePhone(), { friendlyName, voiceUrl: 'https://staging.test/twilio/voice' });
    await check();
    expect([removed(), (await phones()).length]).toEqual([[], 1]);
  });

  it('any more, but was, and came back to the account is shown, not released', async () => {
    const ref = await numbers.purchase(id, { state: 'provisioned' });
    const { sid, phoneNumber } = account.has(somePhone(), { friendlyName: purchaseTag(ref.purchaseId) });
    await numbers.line(id, { twilio_sid: sid, phone_number: phoneNumber, released_at: minutesAgo(60) });
    await check();
    expect([removed(), await phones()]).toEqual([[], [phoneNumber]]);
  });

  it('and that Twilio does not let go of is shown, and does not hide the ones behind it', async () => {
    const { number: kept } = await boughtBy({ state: 'failed', reason: 'cancelled' });
    const { number: other } = await boughtBy({ state: 'failed', reason: 'cancelled' });
    account.has(somePhone());
    account.before.remove = (sid) => {
      if (sid === kept.sid) throw refusal(403, 20003);
    };
    await expect(check()).rejects.toThrow('1 numbers could not be seen to');
    expect(removed()).toEqual([`remove ${kept.sid}`, `remove ${other.sid}`]);
    expect(await phones()).toHaveLength(2);
    expect((await acts()).filter((act) => act.startsWith('number.orphan_released'))).toHaveLength(1);
  });
});

describe('a number of ours that the account has no more', () => {
  it('is written down as gone, and nobody has it any more', async () => {
    const [userId] = await numbers.users(id, [null]);
    const line = await numbers.line(id, { userId: userId!, registered: true });
    await check();
    await check();
    expect(await numbers.numbersOf(id)).toEqual([]);
    const row = await numbers.database.system
      .selectFrom('phone_numbers')
      .selectAll()
      .where('id', '=', line.id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ released_at: expect.any(Date), registered: false });
    const users = await numbers.database.system
      .selectFrom('phone_number_users')
      .select('user_id')
      .where('number_id', '=', line.id)
      .execute();
    expect(users).toEqual([]);
    expect(await acts()).toEqual([`number.gone_at_twilio ${line.id}`]);
  });

  it('takes what waits to leave from it along, and streams are told', async () => {
    const line = (await numbers.line(id, { registered: true })).phone_number;
    const at = new Date(numbers.instant.ms);
    const due = { at: new Date(at.getTime() + 3_600_000), reason: 'scheduled', detail: null, closesAt: null } as const;
    const { messageId, told } = await numbers.database.inOrganization(id, async (trx) => {
      const contact = { id: 'con_1', mobile: '+12085550100' };
      const text = { source: 'user', purpose: 'transactional', body: 'Hello.', segments: 1, direct: false } as const;
      const given = { organizationId: id, line, contact, userId: null, sendAt: due.at, due, at, ...text };
      return { messageId: await insertMessage(trx, given), told: await lastEventId(trx, id) };
    });
    await check();
    const { rows, events } = await numbers.database.inOrganization(id, async (trx) => ({
      rows: await trx.selectFrom('messages').select(['status', 'cancel_reason']).where('id', '=', messageId).execute(),
      events: await eventsAfter(trx, id, { after: told, limit: 10 }),
    }));
    expect(rows).toEqual([{ status: 'cancelled', cancel_reason: 'line_released' }]);
    expect(events).toMatchObject([{ type: 'message.updated', data: { messageId, status: 'cancelled' } }]);
  });

  it('is not written down while only the list is behind', async () => {
    const { sid: twilio_sid } = account.has(somePhone());
    const line = await numbers.line(id, { twilio_sid });
    account.lists = 'behind';
    await check();
    expect(await phones()).toEqual([line.phone_number]);
    expect(await acts()).toEqual([]);
  });

  it('is not written down when it cannot be asked for, nor when it was bought a moment ago', async () => {
    const line = await numbers.line(id);
    account.before.fetch = () => {
      throw refusal(500, 20500);
    };
    await expect(check()).rejects.toMatchObject({ errors: [{ status: 500 }] });
    expect(await phones()).toEqual([line.phone_number]);
    account.before = {};
    const young = await numbers.line(id, { purchased_at: minutesAgo(9) });
    await check();
    expect(await phones()).toEqual([young.phone_number]);
  });

  it('is left to its release, whether that began before or while the account is looked through', async () => {
    const [before, meanwhile] = [await numbers.line(id, { releasing_since: new Date() }), await numbers.line(id)];
    account.before.fetch = async () => {
      await numbers.database.system
        .updateTable('phone_numbers')
        .set({ releasing_since: new Date() })
        .where('id', '=', meanwhile.id)
        .execute();
    };
    await check();
    expect((await phones()).toSorted()).toEqual([before.phone_number, meanwhile.phone_number].toSorted());
    expect(await acts()).toEqual([]);
  });
});

it('the audit log holds no phone number, whatever became of them', async () => {
  account.has(somePhone());
  await boughtBy({ state: 'failed', reason: 'gave_up' });
  await boughtBy({ state: 'failed', reason: 'cancelled' });
  await numbers.line(id);
  await check();
  const { acts: done, text } = await numbers.auditOf(id);
  expect(done.map((act) => act.split(' ')[0]!).toSorted()).toEqual([
    'number.gone_at_twilio',
    'number.orphan_adopted',
    'number.orphan_found',
    'number.orphan_released',
  ]);
  expect(text).not.toMatch(/\+?1?415\d{7}\b/);
});

it('each account is looked through by one of several workers, when its hour has passed', async () => {
  const { system } = numbers.database;
  const now = new Date(numbers.instant.ms);
  await system.updateTable('organizations').set({ numbers_checked_at: now }).execute();
  const due = await Promise.all(Array.from({ length: 50 }, () => numbers.organization()));
  const before = new Date(numbers.instant.ms - 3_600_000);
  const take = (db = system) => accountsToCheck(db, { before, now });
  // One has taken some, and not committed: another one does not wait for it, and takes others.
  const rounds = await system.transaction().execute(async (trx) => [await take(trx), await take(), await take()]);
  const taken = [...rounds, await take()].flat();
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.toSorted()).toEqual(due.map((organization) => organization.id).toSorted());
  const hourLater = new Date(numbers.instant.ms + 3_600_001);
  expect(await accountsToCheck(system, { before: now, now: hourLater })).toEqual([]);
  expect(await accountsToCheck(system, { before: new Date(now.getTime() + 1), now: hourLater })).toHaveLength(20);
});
