/** What is bought instead, what is not bought and why: numbers that are not to be had, users who may not, Twilio's refusals. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPurchaseActivities, type PurchaseRef } from '../../../activities/numbers/buy.ts';
import type { NumberJobRow } from '../../../db/schema.ts';
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

const buy = (ref: PurchaseRef) => run(() => createPurchaseActivities(numbers.deps).buyNumber(ref));
const one = async (job: Partial<NumberJobRow> = {}, mobile: string | null = null) => {
  const [userId] = await numbers.users(id, [mobile]);
  return { userId: userId!, ref: await numbers.purchase(id, { user_ids: [userId!] }, job) };
};
const chosen = async (wanted: string) => numbers.purchase(id, { wanted });
const searches = () => account.asked.flatMap((asked) => (asked.startsWith('search ') ? [asked.slice(7)] : []));

describe('a number that is not to be had', () => {
  it.for([21421, 21422, 21451, 21452])('(%i) is passed over for the next one', async (code) => {
    const [gone, next] = [somePhone(), somePhone('628')];
    Object.assign(account.onSale, { 415: [gone], 628: [next] });
    account.before.create = (phoneNumber) => {
      if (phoneNumber === gone) throw refusal(400, code);
    };
    const { ref } = await one({ allow_nearby: true });
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought.slice(0, -1).every((phoneNumber) => phoneNumber === gone)).toBe(true);
    expect(account.bought.at(-1)).toBe(next);
  });

  it('because another customer was quicker is not asked for again, and the others are tried', async () => {
    account.onSale['415'] = Array.from({ length: 8 }, () => somePhone());
    const left = account.onSale['415'].at(-1)!;
    account.before.create = (phoneNumber) => {
      if (phoneNumber !== left) throw refusal(400, 21422);
    };
    const { ref } = await one();
    expect(await buy(ref)).toBe('provisioned');
    expect(new Set(account.bought).size).toBe(account.bought.length);
    expect(account.bought.at(-1)).toBe(left);
  });

  it('because the account has it already is not "bought" again', async () => {
    const own = somePhone();
    account.has(own);
    account.onSale['415'] = [own];
    const { ref } = await one();
    expect(await buy(ref)).toBe('failed');
    const wanted = await chosen(own);
    expect(await buy(wanted)).toBe('failed');
    expect(account.bought).toEqual([]);
    expect(await numbers.purchaseOf(ref)).toMatchObject({ reason: 'no_numbers', candidate: null, asked_at: null });
    expect(await numbers.purchaseOf(wanted)).toMatchObject({ reason: 'number_not_available' });
  });

  it('since another organization of ours has it on record is bought all the same: Twilio knows better', async () => {
    const other = await numbers.organization();
    const phone = somePhone();
    const stale = await numbers.line(other.id, { phone_number: phone });
    account.onSale['415'] = [phone];
    const { ref } = await one();
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought).toEqual([phone]);
    expect(await numbers.numbersOf(other.id)).toEqual([]);
    expect((await numbers.auditOf(other.id)).acts).toEqual([`number.gone_at_twilio ${stale.id}`]);
  });

  it('since we have it on record still, and somebody released it in the console, is bought anew', async () => {
    const [before] = await numbers.users(id, [null]);
    const stale = await numbers.line(id, { userId: before! });
    account.onSale['415'] = [stale.phone_number];
    const { userId, ref } = await one();
    expect(await buy(ref)).toBe('provisioned');
    const lines = await numbers.numbersOf(id);
    expect(lines).toMatchObject([{ phone_number: stale.phone_number, userIds: [userId] }]);
    expect(lines[0]!.id).not.toBe(stale.id);
    expect((await numbers.auditOf(id)).acts[0]).toBe(`number.gone_at_twilio ${stale.id}`);
  });

  it('and was chosen by the caller ends the purchase: another one is not what they want', async () => {
    account.onSale['415'] = [somePhone()];
    account.before.create = () => {
      throw refusal(400, 21422);
    };
    const wanted = somePhone();
    const ref = await chosen(wanted);
    expect(await buy(ref)).toBe('failed');
    expect(account.bought).toEqual([wanted]);
    expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'failed', reason: 'number_not_available' });
  });
});

it('any other refusal ends the purchase, with Twilio’s code and without its words', async () => {
  account.onSale['415'] = [somePhone(), somePhone()];
  account.before.create = (phoneNumber) => {
    throw Object.assign(refusal(400, 21649), { message: `${phoneNumber} needs a bundle` });
  };
  const { ref } = await one();
  expect(await buy(ref)).toBe('failed');
  const purchase = await numbers.purchaseOf(ref);
  expect(purchase).toMatchObject({ state: 'failed', reason: 'refused_by_twilio' });
  expect(purchase.detail).toContain('https://www.twilio.com/docs/errors/21649');
  expect(purchase.detail).not.toContain('+1415');
  expect(account.bought).toHaveLength(1);
});

describe('Twilio is too busy (429)', () => {
  it.for(['search', 'look', 'create'] as const)('to %s: it is waited for', async (kind) => {
    account.onSale['415'] = [somePhone()];
    const times = new Map<string, number>();
    account.before[kind] = (what) => {
      times.set(what, (times.get(what) ?? 0) + 1);
      if (times.get(what)! <= 2) throw refusal(429, 20429);
    };
    const { ref } = await one();
    expect(await buy(ref)).toBe('provisioned');
    expect(new Set(times.values())).toEqual(new Set([3]));
    expect(await numbers.numbersOf(id)).toHaveLength(1);
  });

  it('for longer: it is left to Temporal, and nothing has to be waited out then', async () => {
    account.onSale['415'] = [somePhone()];
    // The look has taken most of the time that a claim is good for.
    account.before.look = () => void (numbers.instant.ms += 4_700);
    account.before.create = () => {
      throw refusal(429, 20429);
    };
    const { ref } = await one();
    await expect(buy(ref)).rejects.toMatchObject({ status: 429 });
    expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'waiting', candidate: null, asked_at: null });
    account.before = {};
    expect(await buy(ref)).toBe('provisioned');
  });
});

it('a look that fails after the claim, before Twilio was asked, leaves nothing to wait for', async () => {
  account.onSale['415'] = [somePhone()];
  account.before.look = (what) => {
    if (what.startsWith('+1')) throw refusal(500, 20500);
  };
  const { ref } = await one();
  await expect(buy(ref)).rejects.toMatchObject({ status: 500 });
  account.before = {};
  expect(await buy(ref)).toBe('provisioned');
  expect(account.bought).toHaveLength(1);
});

it('a worker that was held up for 5 seconds after its claim does not ask: another may have', async () => {
  account.onSale['415'] = [somePhone()];
  account.before.look = () => void (numbers.instant.ms += 5_000);
  const { ref } = await one();
  await expect(buy(ref)).rejects.toMatchObject({ type: 'NotSettled', nextRetryDelay: 1_000 });
  expect(account.bought).toEqual([]);
  account.before = {};
  expect(await buy(ref)).toBe('provisioned');
});

describe('nothing is bought, and nothing searched, for a user who meanwhile', () => {
  it('got a line: the reason names it', async () => {
    account.onSale['415'] = [somePhone()];
    const { userId, ref } = await one();
    const line = await numbers.line(id, { userId });
    expect(await buy(ref)).toBe('failed');
    const { reason, detail } = await numbers.purchaseOf(ref);
    expect(reason).toBe('has_line');
    expect(detail).toContain(line.id);
    expect(detail).toContain(line.phone_number);
    expect(account.asked).toEqual([]);
  });

  it('was deactivated, although others who would share the number were not', async () => {
    account.onSale['415'] = [somePhone()];
    const users = await numbers.users(id, [null, null]);
    const ref = await numbers.purchase(id, { user_ids: users });
    await numbers.database.system.updateTable('users').set({ active: false }).where('id', '=', users[1]!).execute();
    expect(await buy(ref)).toBe('failed');
    expect(await numbers.purchaseOf(ref)).toMatchObject({ reason: 'user_inactive' });
    expect(account.asked).toEqual([]);
  });
});

describe('the area code', () => {
  it('is that of the mobile number where it is to match', async () => {
    const [own, other] = [somePhone('312'), somePhone()];
    Object.assign(account.onSale, { 312: [own], 415: [other] });
    const { ref } = await one({ area_code: 'match-mobile' }, '+13125550123');
    expect(await buy(ref)).toBe('provisioned');
    expect(account.bought).toEqual([own]);
  });

  it.for([
    [null, 'no_mobile'],
    ['+18005550123', 'mobile_without_area_code'],
    ['+18885550123', 'mobile_without_area_code'],
    ['+18765550123', 'mobile_without_area_code'],
    // Puerto Rico and Guam: sold as countries of their own, which no area code may name either.
    ['+17875550123', 'mobile_without_area_code'],
    ['+16715550123', 'mobile_without_area_code'],
    ['+447700900123', 'mobile_without_area_code'],
  ] as const)('cannot match the mobile number %s: %s, with what to do', async ([mobile, reason]) => {
    const { ref } = await one({ area_code: 'match-mobile', allow_nearby: true }, mobile);
    expect(await buy(ref)).toBe('failed');
    expect(await numbers.purchaseOf(ref)).toMatchObject({
      reason,
      detail: expect.stringContaining('name an area code'),
    });
    expect(account.asked).toEqual([]);
  });

  it('of a Canadian mobile number is searched in Canada', async () => {
    account.onSale['416'] = [somePhone('416')];
    const { ref } = await one({ area_code: 'match-mobile' }, '+14165550123');
    expect(await buy(ref)).toBe('provisioned');
    expect(searches()).toEqual(['CA 416']);
  });

  it('that has nothing is left for those near it, nearest first, where that is allowed', async () => {
    account.onSale['510'] = [somePhone('510')];
    const { ref } = await one({ allow_nearby: true });
    expect(await buy(ref)).toBe('provisioned');
    expect(searches().slice(0, 2)).toEqual(['US 415', 'US 628']);
    expect(searches().at(-1)).toBe('US 510');
    expect(account.bought).toEqual([account.owned[0]!.phoneNumber]);
  });

  it('that has nothing ends the purchase where it is not, and the reason names what was looked through', async () => {
    account.onSale['628'] = [somePhone('628')];
    const { ref } = await one({ allow_nearby: false });
    expect(await buy(ref)).toBe('failed');
    expect(searches()).toEqual(['US 415']);
    const { reason, detail } = await numbers.purchaseOf(ref);
    expect([reason, detail]).toEqual([
      'no_numbers',
      expect.stringMatching(/^No number .* 415\. Allow nearby area codes/),
    ]);

    account.onSale['628'] = [];
    const { ref: near } = await one({ allow_nearby: true });
    expect(await buy(near)).toBe('failed');
    expect((await numbers.purchaseOf(near)).detail).toMatch(/^No number .* 415\. Nor is there in 628, .*510/);
  });
});

it('a wrong token is no matter of the purchase: it waits', async () => {
  account.before.search = () => {
    throw refusal(401, 20003);
  };
  const { ref } = await one();
  await expect(buy(ref)).rejects.toMatchObject({ status: 401 });
  expect(await numbers.purchaseOf(ref)).toMatchObject({ state: 'waiting', asked_at: null });
});
