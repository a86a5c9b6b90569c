/** A number is bought once, whatever crashes, lags or is asked for by two: what no crash test can time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPurchaseActivities, type PurchaseRef } from '../../../activities/numbers/buy.ts';
import { eventually } from '../../harness/eventually.ts';
import { cut, type Numbers, type PlayedAccount, run, somePhone, startNumbers } from './support.ts';

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

const buy = (ref: PurchaseRef) => run(() => createPurchaseActivities(numbers.deps).buyNumber(ref));
const abandon = (ref: PurchaseRef, reason: 'gave_up' | 'cancelled') =>
  run(() => createPurchaseActivities(numbers.deps).abandonPurchase({ ...ref, reason }));
/** A purchase for one user, in 415. */
async function purchaseForUser(job: { allow_nearby?: boolean } = {}) {
  const [userId] = await numbers.users(id, [null]);
  return { userId: userId!, ref: await numbers.purchase(id, { user_ids: [userId!] }, job) };
}
const lineOf = async (userId: string) =>
  (await numbers.numbersOf(id)).filter(({ userIds }) => userIds.includes(userId)).map((row) => row.phone_number);

/** Something that stops until it is told to go on. */
function gate() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const pass = async () => {
    reached.resolve();
    await opened.promise;
  };
  return { reached: reached.promise, open: opened.resolve, pass };
}

describe('of two workers in one purchase', () => {
  it('who both looked for a number before either asked, one asks', async () => {
    account.onSale['415'] = [somePhone(), somePhone(), somePhone()];
    const { userId, ref } = await purchaseForUser();
    let looking = 0;
    const both = gate();
    account.before.search = async () => {
      looking += 1;
      if (looking === 2) both.open();
      if (looking <= 2) await both.pass();
    };
    const second = Promise.withResolvers<void>();
    // Nobody is through before the other one has asked too, or has ended.
    account.before.create = async () => {
      if (account.bought.length === 2) second.resolve();
      await second.promise;
    };
    const workers = [buy(ref), buy(ref)];
    for (const worker of workers) void worker.catch(() => {}).then(() => second.resolve());
    const outcomes = await Promise.allSettled(workers);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { type: 'NotSettled' } });
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought).toHaveLength(1);
    expect(await lineOf(userId)).toEqual(account.bought);
  });

  it('one who was cut off and hears of its number late changes nothing', async () => {
    account.onSale['415'] = [somePhone(), somePhone()];
    const { userId, ref } = await purchaseForUser();
    const answer = gate();
    account.after.create = answer.pass;
    const cutOff = buy(ref);
    await answer.reached;
    expect(await buy(ref)).toBe('provisioned');
    answer.open();
    expect(await cutOff).toBe('provisioned');
    expect(account.bought).toHaveLength(1);
    expect(await lineOf(userId)).toEqual(account.bought);
    expect((await numbers.auditOf(id)).acts).toHaveLength(1);
  });

  it('one who finds nothing left does not end what the other is buying', async () => {
    account.onSale['415'] = [somePhone()];
    const { userId, ref } = await purchaseForUser();
    const [search, answer] = [gate(), gate()];
    account.before.search = search.pass;
    const slow = buy(ref);
    await search.reached;
    account.before.search = () => {};
    account.after.create = answer.pass;
    const quick = buy(ref);
    await answer.reached;
    search.open();
    await expect(slow).rejects.toMatchObject({ type: 'NotSettled' });
    answer.open();
    expect(await quick).toBe('provisioned');
    expect(await lineOf(userId)).toEqual(account.bought);
  });
});

describe('what came of a request is not known:', () => {
  it('the number is found by its tag, and no other is bought', async () => {
    account.onSale['415'] = [somePhone(), somePhone()];
    const { userId, ref } = await purchaseForUser();
    account.after.create = () => {
      throw cut();
    };
    await expect(buy(ref)).rejects.toThrow('cut');
    expect(await numbers.numbersOf(id)).toEqual([]);
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought).toHaveLength(1);
    expect(await lineOf(userId)).toEqual(account.bought);
    expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'provisioned', candidate: account.bought[0] });
  });

  it('not in the list either: nothing is bought for 30 seconds, then another number', async () => {
    const [first, second] = [somePhone(), somePhone()];
    account.onSale['415'] = [first];
    const { userId, ref } = await purchaseForUser();
    account.before.create = () => {
      throw cut();
    };
    await expect(buy(ref)).rejects.toThrow('cut');
    account.before.create = () => {};
    account.onSale['415'] = [second];
    for (const [afterMs, leftMs] of [
      [1_000, 29_000],
      [28_900, 100],
    ]) {
      numbers.instant.ms += afterMs!;
      await expect(buy(ref)).rejects.toMatchObject({ type: 'NotSettled', nextRetryDelay: leftMs });
    }
    expect(account.bought).toEqual([first]);
    numbers.instant.ms += 100;
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought).toEqual([first, second]);
    expect(await lineOf(userId)).toEqual([second]);
  });

  it('a chosen number that the list shows only when it is to be bought again is not bought again', async () => {
    const wanted = somePhone();
    const [userId] = await numbers.users(id, [null]);
    const ref = await numbers.purchase(id, { user_ids: [userId!], wanted });
    account.lists = 'behind';
    account.after.create = () => {
      throw cut();
    };
    await expect(buy(ref)).rejects.toThrow('cut');
    numbers.instant.ms += 31_000;
    account.before.look = (what) => {
      if (what === wanted) account.lists = 'complete';
    };
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought).toEqual([wanted]);
    expect(await lineOf(userId!)).toEqual([wanted]);
  });

  it('the worker dies between Twilio’s yes and our record: the next one finds the number', async () => {
    account.onSale['415'] = [somePhone(), somePhone()];
    const { userId, ref } = await purchaseForUser();
    const never = gate();
    account.after.create = never.pass;
    void buy(ref);
    await never.reached;
    numbers.instant.ms += 3_600_000;
    expect(await buy(ref)).toBe('provisioned');
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought).toHaveLength(1);
    expect(await lineOf(userId)).toEqual(account.bought);
  });
});

describe('several purchases of one organization', () => {
  it('that look at the same moment each get their own', async () => {
    account.onSale['415'] = Array.from({ length: 12 }, () => somePhone());
    const wanting = await Promise.all(Array.from({ length: 12 }, () => purchaseForUser()));
    let looking = 0;
    const all = gate();
    account.before.search = async () => {
      if ((looking += 1) === wanting.length) all.open();
      await all.pass();
    };
    // A request takes its time: the others reach for the number meanwhile.
    account.before.create = () => sleep(50);
    const outcomes = await Promise.all(wanting.map(({ ref }) => buy(ref)));
    expect(new Set(outcomes)).toEqual(new Set(['provisioned']));
    const lines = (await Promise.all(wanting.map(({ userId }) => lineOf(userId)))).flat();
    expect(new Set(lines).size).toBe(12);
    expect(account.bought.toSorted()).toEqual(lines.toSorted());
  });

  it('that claim one number at once do not share it: the later one takes the next', async () => {
    const [first, next] = [somePhone(), somePhone('628')];
    Object.assign(account.onSale, { 415: [first], 628: [next] });
    const { userId, ref } = await purchaseForUser({ allow_nearby: true });
    const other = await purchaseForUser();
    let claimed: Promise<unknown>;
    // Written and not committed: a look sees nothing of it, only the unique index does.
    await numbers.database.inOrganization(id, async (trx) => {
      await trx
        .updateTable('number_purchases')
        .set({ candidate: first, asked_at: new Date() })
        .where('id', '=', other.ref.purchaseId)
        .execute();
      claimed = buy(ref);
      await eventually(async () => {
        const { rows } = await sql`
          select from pg_locks join pg_stat_activity using (pid)
          where not granted and datname = current_database()`.execute(numbers.database.system);
        expect(rows).toHaveLength(1);
      });
    });
    expect(await claimed!).toBe('provisioned');
    expect(account.bought).toEqual([next]);
    expect(await lineOf(userId)).toEqual([next]);
  });
});

describe('a purchase that was ended while Twilio was asked', () => {
  it.for(['cancelled', 'gave_up'] as const)('(%s) is not recorded, and stays as it ended', async (reason) => {
    account.onSale['415'] = [somePhone()];
    const { ref } = await purchaseForUser();
    account.after.create = () => abandon(ref, reason);
    expect(await buy(ref)).toBe('failed');
    expect(await numbers.numbersOf(id)).toEqual([]);
    expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'failed', reason, number_id: null });
    expect(account.bought).toHaveLength(1);
    expect(await buy(ref)).toBe('failed');
    expect(account.bought).toHaveLength(1);
  });

  it('cannot be ended any more once it has its number', async () => {
    account.onSale['415'] = [somePhone()];
    const { userId, ref } = await purchaseForUser();
    await buy(ref);
    await abandon(ref, 'cancelled');
    expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'provisioned', reason: null });
    expect(await lineOf(userId)).toHaveLength(1);
  });
});
