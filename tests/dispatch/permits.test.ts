/** Pacing (B9) on real Postgres: several purses share one bucket. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permitPurse } from '../../activities/dispatch/permits.ts';
import { systemClock } from '../../clock.ts';
import { sentInCarrierDay, takePermits } from '../../db/messages/send-permits.ts';
import { type Fixture, openFixture, type Organization } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const start = Date.parse('2026-12-01T15:00:00Z');

describe('the bucket', () => {
  it('never grants more than the rate allows, in any stretch of time', async () => {
    const asks = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 0, max: 900 }),
        want: fc.integer({ min: 1, max: 40 }),
        least: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 10 })),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const rate = fc.oneof(fc.constantFrom(1.25, 3.75, 75 / 60, 0.4), fc.double({ min: 0.3, max: 30, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(rate, asks, async (rate, given) => {
        const organization = await fixture.organization();
        let at = start;
        const grants: { at: number; granted: number; least: number }[] = [];
        for (const { afterMs, least, ...ask } of given) {
          const want = Math.max(ask.want, least);
          at += afterMs;
          const { granted, waitMs } = await fixture.in(organization, (trx) =>
            takePermits(trx, organization.id, { rate, want, least, now: new Date(at) }),
          );
          expect(granted).toBeLessThanOrEqual(want);
          if (granted > 0) expect(granted).toBeGreaterThanOrEqual(least);
          expect(granted > 0 ? waitMs : Math.min(waitMs, 1)).toBe(granted > 0 ? 0 : 1);
          grants.push({ at, granted, least });
        }
        // In every stretch of time: the rate, a full bucket, and what a message had on credit.
        for (let i = 0; i < grants.length; i += 1) {
          let sum = 0;
          let longest = 1;
          for (let j = i; j < grants.length; j += 1) {
            sum += grants[j]!.granted;
            longest = Math.max(longest, grants[j]!.least);
            const seconds = (grants[j]!.at - grants[i]!.at) / 1000;
            expect(sum).toBeLessThanOrEqual(Math.max(rate, 1) + rate * seconds + longest - 1 + 1e-6);
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('says how long to wait: by then there is enough', async () => {
    const organization = await fixture.organization();
    const take = (at: number) =>
      fixture.in(organization, (trx) =>
        takePermits(trx, organization.id, { rate: 3.75, want: 4, least: 1, now: new Date(at) }),
      );
    expect(await take(start)).toEqual({ granted: 3, waitMs: 0, fullUntil: null });
    // Three quarters of one are left, and a quarter takes 66.7 ms.
    expect(await take(start)).toEqual({ granted: 0, waitMs: 67, fullUntil: null });
    expect((await take(start + 66)).granted).toBe(0);
    expect((await take(start + 67)).granted).toBe(1);
  });

  it('is not refilled by a clock that goes backwards', async () => {
    const organization = await fixture.organization();
    const take = (at: number) =>
      fixture.in(organization, (trx) =>
        takePermits(trx, organization.id, { rate: 10, want: 10, least: 1, now: new Date(at) }),
      );
    expect((await take(start)).granted).toBe(10);
    expect((await take(start - 5_000)).granted).toBe(0);
    expect((await take(start)).granted).toBe(0);
    expect((await take(start + 500)).granted).toBe(5);
  });

  it('lets a message of more segments than a second allows through on credit, and then keeps the rate', async () => {
    const organization = await fixture.organization();
    const take = (at: number) =>
      fixture.in(organization, (trx) =>
        takePermits(trx, organization.id, { rate: 1.25, want: 3, least: 3, now: new Date(at) }),
      );
    const grants: number[] = [];
    for (let at = start; at <= start + 12_000; at += 200) {
      const { granted } = await take(at);
      if (granted > 0) grants.push(at - start);
      expect([0, 3]).toContain(granted);
    }
    // One at once on credit, the next when that is paid back, and then one every 2.4 s.
    expect(grants).toEqual([0, 2_200, 4_600, 7_000, 9_400, 11_800]);
  });

  it('belongs to one organization', async () => {
    const [a, b] = [await fixture.organization(), await fixture.organization()];
    const take = (organization: typeof a) =>
      fixture.in(organization, (trx) =>
        takePermits(trx, organization.id, { rate: 5, want: 5, least: 1, now: new Date(start) }),
      );
    expect((await take(a)).granted).toBe(5);
    expect((await take(b)).granted).toBe(5);
    expect((await take(a)).granted).toBe(0);
  });
});

describe("the carriers' day", () => {
  /** Midnight Pacific. */
  const midnight = new Date('2026-12-02T08:00:00Z');
  const take = async (
    organization: Organization,
    at: Date,
    given: { want: number; ahead?: boolean; least?: number },
  ) => {
    const { granted, fullUntil } = await fixture.in(organization, (trx) =>
      takePermits(trx, organization.id, { rate: 1_000, perDay: 100, least: 1, now: at, ...given }),
    );
    return { granted, fullUntil };
  };
  const before = (seconds: number) => new Date(midnight.getTime() - seconds * 1_000);

  it('has an end: then bulk waits for the next one, and replies count but are not held', async () => {
    const organization = await fixture.organization();
    expect(await take(organization, before(60), { want: 90 })).toEqual({ granted: 90, fullUntil: null });
    expect(await take(organization, before(50), { want: 90 })).toEqual({ granted: 10, fullUntil: null });
    expect(await take(organization, before(40), { want: 1 })).toEqual({ granted: 0, fullUntil: midnight });
    expect(await take(organization, before(30), { want: 3, ahead: true })).toEqual({ granted: 3, fullUntil: null });
    expect(await fixture.in(organization, (trx) => sentInCarrierDay(trx, organization.id, before(1)))).toEqual(
      new Map([['2026-12-01', 103]]),
    );
    expect(await take(organization, midnight, { want: 90 })).toEqual({ granted: 90, fullUntil: null });
    expect(await fixture.in(organization, (trx) => sentInCarrierDay(trx, organization.id, midnight))).toEqual(
      new Map([['2026-12-02', 90]]),
    );
  });

  it('lets a message of several segments out whole, and begins no day anew for a clock that lags', async () => {
    const organization = await fixture.organization();
    expect(await take(organization, midnight, { want: 98 })).toEqual({ granted: 98, fullUntil: null });
    expect(await take(organization, before(1), { want: 3, least: 3 })).toEqual({ granted: 3, fullUntil: null });
    expect((await take(organization, before(1), { want: 1 })).granted).toBe(0);
    expect((await take(organization, midnight, { want: 1 })).granted).toBe(0);
  });

  it('is of no concern where no limit is known', async () => {
    const organization = await fixture.organization();
    for (let n = 0; n < 5; n += 1) {
      const at = before(10 - n);
      const { granted } = await fixture.in(organization, (trx) =>
        takePermits(trx, organization.id, { rate: 1_000, want: 1_000, least: 1, now: at }),
      );
      expect(granted).toBe(1_000);
    }
  });
});

/**
 * Time that passes only while everybody sleeps, and then at once: what takes seconds on a clock takes as long as Postgres,
 * and no stall of the machine changes what comes of it.
 */
function playedTime(sleepers: number) {
  let now = start;
  const sleeping: { until: number; wake: () => void }[] = [];
  const passOn = (): void => {
    if (sleeping.length < sleepers) return;
    sleeping.sort((a, b) => a.until - b.until);
    const first = sleeping.shift()!;
    now = Math.max(now, first.until);
    first.wake();
  };
  return {
    clock: { now: () => new Date(now), sync: async () => {} },
    seconds: () => (now - start) / 1000,
    pause: (millis: number) =>
      new Promise<void>((wake) => {
        sleeping.push({ until: now + millis, wake });
        passOn();
      }),
    /** One less sleeps from now on. */
    leave: () => {
      sleepers -= 1;
      if (sleepers > 0) passOn();
    },
  };
}

/** Spends from a purse as dispatch does, until the time is over. */
async function spendFor(
  seconds: number,
  time: ReturnType<typeof playedTime>,
  given: { organization: string; rate: number; segments: number },
) {
  const { clock, pause } = time;
  const purse = permitPurse(fixture.database, clock, given.organization, given.rate, { pause });
  const { signal } = new AbortController();
  let spent = 0;
  while (time.seconds() < seconds) {
    if (purse.spend(given.segments)) spent += given.segments;
    else await purse.refill(given.segments, signal);
  }
  time.leave();
  return spent;
}

describe('several purses at once', () => {
  it.for([
    { rate: 200, segments: 1, purses: 5 },
    { rate: 40, segments: 2, purses: 3 },
    { rate: 3.75, segments: 1, purses: 2 },
  ])('spend $rate a second together: no more, and hardly less ($purses purses, $segments segments)', async (given) => {
    const organization = (await fixture.organization()).id;
    const time = playedTime(given.purses);
    const spent = await Promise.all(
      Array.from({ length: given.purses }, () => spendFor(3, time, { ...given, organization })),
    );
    const seconds = time.seconds();
    const total = spent.reduce((sum, one) => sum + one, 0);
    expect(total).toBeLessThanOrEqual(given.rate + given.rate * seconds + 1);
    // At most what each may hold unspent at the end is missing, and the last moment's worth.
    const unspent = given.purses * given.segments + given.rate * 0.3;
    expect(total).toBeGreaterThanOrEqual(given.rate * seconds - unspent);
  });

  it('do not starve the one whose messages are longer than a second allows', async () => {
    const organization = (await fixture.organization()).id;
    const rate = 5;
    const time = playedTime(2);
    const [short, long] = await Promise.all([
      spendFor(10, time, { organization, rate, segments: 1 }),
      spendFor(10, time, { organization, rate, segments: 8 }),
    ]);
    // Twice at least: the first may be luck. Whether the other gets anything in so long is: there are many draws in it.
    expect(long).toBeGreaterThanOrEqual(16);
    expect(short + long).toBeGreaterThanOrEqual(rate * 10 - 8);
    expect(short + long).toBeLessThanOrEqual(rate * 10 + rate + 2 * 8);
  });
});

describe('a purse', () => {
  it('is not paced while nothing is known of the throughput', async () => {
    const purse = permitPurse(fixture.database, systemClock, 'org_none', null);
    for (let n = 0; n < 10_000; n += 1) expect(purse.spend(10)).toBe(true);
  });

  it('stops waiting at once when it is aborted', async () => {
    const organization = await fixture.organization();
    const pause = (_millis: number, signal: AbortSignal) => sleep(3_600_000, undefined, { signal }).catch(() => {});
    const purse = permitPurse(fixture.database, systemClock, organization.id, 0.1, { pause });
    const aborting = new AbortController();
    await purse.refill(1, aborting.signal);
    expect(purse.spend(1)).toBe(true);
    const waiting = purse.refill(1, aborting.signal);
    await sleep(50);
    aborting.abort();
    await waiting;
    expect(purse.spend(1)).toBe(false);
  });
});
