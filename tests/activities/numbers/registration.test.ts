/** Numbers are put into the messaging service (B4): at once, later, or not, and none keeps another one waiting. */
import type { Twilio } from 'twilio';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attachNumber } from '../../../activities/numbers/attach.ts';
import { checkAccount } from '../../../activities/numbers/check.ts';
import { createPurchaseActivities } from '../../../activities/numbers/buy.ts';
import { markRegistered, registerAnew } from '../../../db/numbers/registration.ts';
import { attachOwnAccount, findOrganization, lockOrganization } from '../../../db/organizations/organizations.ts';
import type { NumberRow } from '../../../db/schema.ts';
import { numberDuties } from '../../../worker/number-duties.ts';
import { type Numbers, type PlayedAccount, refusal, run, somePhone, startNumbers } from './support.ts';

let numbers: Numbers;
let id: string;
let account: PlayedAccount;
beforeAll(async () => {
  numbers = await startNumbers();
});
afterAll(() => numbers?.stop());
beforeEach(async () => {
  ({ id, account } = await numbers.organization({ messagingServiceSid: 'MG1' }));
  await numbers.database.system.updateTable('phone_numbers').set({ released_at: new Date() }).execute();
});

/** What a worker does every few seconds. @returns what went wrong */
async function registerWaiting(): Promise<unknown[]> {
  const errors: unknown[] = [];
  const [duty] = numberDuties(numbers.deps, (error) => errors.push(error));
  await duty!.run();
  return errors;
}
const only = async (): Promise<NumberRow> => (await numbers.numbersOf(id))[0]!;
const attached = () => account.asked.filter((asked) => asked.startsWith('attach ')).length;
/** A line of the account that is not registered. */
async function line(change: Partial<NumberRow> = {}) {
  const { sid: twilio_sid, phoneNumber: phone_number } = account.has(somePhone());
  return numbers.line(id, { twilio_sid, phone_number, ...change });
}

it('a number that was bought is registered at once, and asked for nothing else', async () => {
  account.onSale['415'] = [somePhone()];
  const ref = await numbers.purchase(id);
  expect(await run(() => createPurchaseActivities(numbers.deps).buyNumber(ref))).toBe('provisioned');
  expect(await only()).toMatchObject({ registered: true, register_at: null });
  expect(account.asked.map((asked) => asked.split(' ')[0])).toEqual(['search', 'look', 'create', 'attach']);
});

it('a number that was bought and could not be registered is bought all the same, and registered with the next sweep', async () => {
  account.onSale['415'] = [somePhone()];
  account.before.attach = () => {
    throw refusal(500, 20500);
  };
  const ref = await numbers.purchase(id);
  expect(await run(() => createPurchaseActivities(numbers.deps).buyNumber(ref))).toBe('provisioned');
  expect(await only()).toMatchObject({ registered: false, registration_error: null });
  account.before = {};
  await registerWaiting();
  expect(await only()).toMatchObject({ registered: true });
});

it('the sweep leaves a number that is being bought to who buys it; after half a minute nobody does any more', async () => {
  account.onSale['415'] = [somePhone()];
  const never = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  account.before.attach = () => {
    reached.resolve();
    return never.promise;
  };
  const ref = await numbers.purchase(id);
  void run(() => createPurchaseActivities(numbers.deps).buyNumber(ref));
  await reached.promise;
  account.before = {};
  numbers.instant.ms += 29_000;
  await registerWaiting();
  expect(attached()).toBe(1);
  numbers.instant.ms += 1_000;
  await registerWaiting();
  expect(attached()).toBe(2);
  expect(await only()).toMatchObject({ registered: true });
});

it('an adopted number gets the settings that every line has', async () => {
  await line();
  expect(await registerWaiting()).toEqual([]);
  expect(account.owned[0]).toMatchObject({
    voiceUrl: 'https://longwave.test/twilio/voice',
    smsUrl: expect.stringContaining('https://longwave.test/twilio/inbound'),
  });
  expect(await only()).toMatchObject({ registered: true });
});

it.for([
  [409, 21712],
  [412, 21714],
  [400, 21404],
] as const)(
  'what Twilio refuses (%i, %i) stays unregistered with its code, and is tried again in an hour',
  async ([status, code]) => {
    await line();
    account.before.attach = () => {
      throw refusal(status, code);
    };
    expect(await registerWaiting()).toEqual([]);
    expect(await only()).toMatchObject({ registered: false, registration_error: code });
    account.before = {};
    await registerWaiting();
    expect(attached()).toBe(1);
    numbers.instant.ms += 3_600_000;
    await registerWaiting();
    expect(await only()).toMatchObject({ registered: true, registration_error: null });
  },
);

it('a number that is in the service already is registered; one that is gone says so', async () => {
  const [there, gone] = [await line(), await numbers.line(id)];
  account.before.attach = (sid) => {
    throw sid === gone.twilio_sid ? refusal(404, 20404) : refusal(409, 21710);
  };
  await registerWaiting();
  const rows = new Map((await numbers.numbersOf(id)).map((row) => [row.id, row]));
  expect(rows.get(there.id)).toMatchObject({ registered: true });
  expect(rows.get(gone.id)).toMatchObject({ registered: false, registration_error: 20404 });
});

it.for([
  [400, 21649],
  [404, 20404],
  [422, 20422],
] as const)(
  'a number whose settings Twilio refuses (%i, %i) says so, and the others are registered all the same',
  async ([status, code]) => {
    const first = await line();
    await line();
    account.before.update = (sid) => {
      if (sid === first.twilio_sid) throw refusal(status, code);
    };
    expect(await registerWaiting()).toEqual([]);
    expect(await numbers.numbersOf(id)).toMatchObject([
      { id: first.id, registered: false, registration_error: code },
      { registered: true, registration_error: null },
    ]);
    account.before = {};
    numbers.instant.ms += 3_600_000;
    await registerWaiting();
    expect(await numbers.numbersOf(id)).toMatchObject([{ registered: true, registration_error: null }, {}]);
  },
);

describe('when the organization changes its messaging service', () => {
  /** As the API does when the credentials name another service of the same account. */
  const sendThrough = (messagingServiceSid: string) =>
    numbers.database.inOrganization(id, async (trx) => {
      await lockOrganization(trx, id);
      await registerAnew(trx, id);
      const { account_sid: accountSid, auth_token: authToken } = (await findOrganization(trx, id))!;
      const kept = { accountSid: accountSid!, authToken: authToken!, messagingServiceSid, segmentsPerSecond: null };
      await attachOwnAccount(trx, id, kept, numbers.deps.clock.now());
    });

  it('its numbers move from the old one into the new one, and back', async () => {
    const { twilio_sid } = await line();
    await registerWaiting();
    for (const next of ['MG2', 'MG3', 'MG1', 'MG1']) {
      await sendThrough(next);
      expect(await registerWaiting()).toEqual([]);
      expect(account.serviceOf.get(twilio_sid)).toBe(next);
      expect(await only()).toMatchObject({ registered: true, registration_error: null });
    }
  });

  it('a number that none of its sweeps has reached moves from the service before the last', async () => {
    const { twilio_sid } = await line();
    await registerWaiting();
    await sendThrough('MG2');
    await sendThrough('MG3');
    await registerWaiting();
    expect(account.serviceOf.get(twilio_sid)).toBe('MG3');
    expect(await only()).toMatchObject({ registered: true });
  });

  it('a number in a service that the organization never used stays there, and says so', async () => {
    const { twilio_sid } = await line();
    account.serviceOf.set(twilio_sid, 'MG9');
    await sendThrough('MG2');
    await registerWaiting();
    expect(account.serviceOf.get(twilio_sid)).toBe('MG9');
    expect(await only()).toMatchObject({ registered: false, registration_error: 21712 });
  });

  it('a worker that still puts numbers into the old one takes none out of the new one', async () => {
    const number = await line();
    await registerWaiting();
    await sendThrough('MG2');
    await sendThrough('MG1');
    await sendThrough('MG2');
    await registerWaiting();
    const late = { organizationId: id, number, messagingServiceSid: 'MG1' };
    await attachNumber(numbers.deps, account.client as Twilio, late);
    expect(account.serviceOf.get(number.twilio_sid)).toBe('MG2');
    expect(await only()).toMatchObject({ registered: true, registration_error: null });
  });

  it('a number that is just being put into the old one is not taken for registered', async () => {
    const { twilio_sid } = await line();
    account.before.update = () => sendThrough('MG2');
    expect(await registerWaiting()).toEqual([]);
    expect(await only()).toMatchObject({ registered: false, register_at: null });
    expect(account.serviceOf.get(twilio_sid)).toBe('MG1');
  });

  it('a number that is written down as registered at the same moment joins the new one', async () => {
    const { id: numberId } = await line();
    const [locked, changing] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const changed = numbers.database.inOrganization(id, async (trx) => {
      await lockOrganization(trx, id);
      await registerAnew(trx, id);
      locked.resolve();
      await changing.promise;
      await trx.updateTable('organizations').set({ messaging_service_sid: 'MG2' }).where('id', '=', id).execute();
    });
    await locked.promise;
    const marked = numbers.database.inOrganization(id, (trx) => markRegistered(trx, numberId, 'MG1'));
    setTimeout(changing.resolve, 100);
    await changed;
    expect(await marked).toBe(false);
    expect(await only()).toMatchObject({ registered: false });
  });
});

describe('a line that somebody takes out of the messaging service', () => {
  /** A line that is in the service as far as we know. */
  const registered = async (service: string | null) => {
    const number = await line({ registered: true });
    if (service !== null) account.serviceOf.set(number.twilio_sid, service);
    return number;
  };
  const check = () => checkAccount(numbers.deps, id);
  const states = async () => (await numbers.numbersOf(id)).map((row) => row.registered);

  it('is found by the hourly check and put back by the sweep', async () => {
    const out = await registered(null);
    await registered('MG1');
    await check();
    expect(await states()).toEqual([false, true]);
    await registerWaiting();
    expect(await states()).toEqual([true, true]);
    expect(account.serviceOf.get(out.twilio_sid)).toBe('MG1');
  });

  it('and puts into another one keeps the code of why it is not in ours', async () => {
    await registered('MG9');
    await check();
    await registerWaiting();
    expect(await only()).toMatchObject({ registered: false, registration_error: 21712 });
  });

  it('is not believed to be out while only the list is behind', async () => {
    await registered('MG1');
    account.lists = 'behind';
    await check();
    expect(await states()).toEqual([true]);
  });

  it('is left alone while it is being released, and while Twilio cannot be asked', async () => {
    await registered(null);
    account.before.member = () => {
      throw refusal(500, 20500);
    };
    await expect(check()).rejects.toMatchObject({ errors: [{ status: 500 }] });
    account.before = {};
    await numbers.database.system.updateTable('phone_numbers').set({ releasing_since: new Date() }).execute();
    await check();
    expect(await states()).toEqual([true]);
  });

  it('is left alone when the organization has changed its service meanwhile', async () => {
    await registered(null);
    account.before.members = () =>
      numbers.database.system
        .updateTable('organizations')
        .set({ messaging_service_sid: 'MG2' })
        .where('id', '=', id)
        .execute()
        .then(() => {});
    await check();
    expect(await states()).toEqual([true]);
  });
});

it('orphans, and numbers that are being released, are not registered', async () => {
  await line({ orphan_since: new Date() });
  await line({ releasing_since: new Date() });
  await registerWaiting();
  expect(account.asked).toEqual([]);
});

it.for([
  ['will not be asked', refusal(401, 20003), 60_000],
  ['gives no answer', new Error('socket hang up'), 10_000],
] as const)(
  'an account that %s is asked again a while later, and keeps nobody else’s numbers waiting',
  async ([, error, againAfterMs]) => {
    const refusing = account;
    // More than are seen to in one round, and before the other's.
    await Promise.all(Array.from({ length: 501 }, () => line()));
    refusing.before.attach = () => {
      throw error;
    };
    numbers.instant.ms += 1;
    ({ id, account } = await numbers.organization({ messagingServiceSid: 'MG2' }));
    await line();
    expect(await registerWaiting()).toEqual([error]);
    await registerWaiting();
    expect(await only()).toMatchObject({ registered: true });
    numbers.instant.ms += againAfterMs - 1;
    await registerWaiting();
    expect(refusing.asked).toHaveLength(1);
    numbers.instant.ms += 1;
    await registerWaiting();
    expect(refusing.asked).toHaveLength(2);
  },
);
