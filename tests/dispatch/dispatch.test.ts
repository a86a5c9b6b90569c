/** The algorithm of `dispatch` alone, against a port in memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dispatch, sendWithinMs } from '../../activities/dispatch/dispatch.ts';
import { createSlots } from '../../activities/dispatch/slots.ts';
import type { PermitPurse } from '../../activities/dispatch/permits.ts';
import { type Kind, memoryPort, options, statusOf } from './memory-port.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('dispatch', () => {
  it('gives every claimed message exactly one result, whatever happens', async () => {
    const kind = fc.oneof(
      { weight: 20, arbitrary: fc.constant<Kind>('accepted') },
      { weight: 3, arbitrary: fc.constant<Kind>('refused') },
      { weight: 3, arbitrary: fc.constant<Kind>('unknown') },
      { weight: 1, arbitrary: fc.constant<Kind>('later') },
    );
    const world = fc.record({
      count: fc.integer({ min: 0, max: 400 }),
      kinds: fc.array(kind, { minLength: 1, maxLength: 40 }),
      latencies: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 20 }),
      claimMs: fc.integer({ min: 0, max: 3 }),
      concurrency: fc.integer({ min: 1, max: 60 }),
      withheldEach: fc.option(fc.integer({ min: 1, max: 9 })),
      blockedAt: fc.option(fc.integer({ min: 1, max: 400 }), { freq: 4 }),
      abortAfterMs: fc.option(fc.integer({ min: 0, max: 40 })),
      failedClaim: fc.option(fc.integer({ min: 1, max: 6 }), { freq: 3 }),
      failedWrites: fc.array(fc.constantFrom('before' as const, 'after' as const), { maxLength: 2 }),
      rate: fc.option(fc.integer({ min: 20, max: 300 }), { freq: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const { count, kinds, latencies, concurrency, blockedAt, abortAfterMs, failedClaim, failedWrites } = given;
        const aborting = new AbortController();
        const { port, book } = memoryPort({
          count,
          claimMs: given.claimMs,
          outcome: (rank) => (rank === blockedAt ? 'blocked' : kinds[rank % kinds.length]!),
          latencyMs: (rank) => latencies[rank % latencies.length]!,
          withheld: (rank) => given.withheldEach !== null && rank % given.withheldEach === 0,
          claimFails: (call) => call === failedClaim,
          writeFails: (call) => failedWrites[call - 1] ?? false,
          signal: aborting.signal,
        });
        const timer = abortAfterMs === null ? null : setTimeout(() => aborting.abort(), abortAfterMs);
        const ran = dispatch(port, options({ concurrency, rate: given.rate, signal: aborting.signal }));
        const report = await ran.catch((error: Error) => error);
        if (timer) clearTimeout(timer);

        expect(book.twice).toEqual([]);
        expect(book.contradicted).toEqual([]);
        expect([...book.results.keys()].toSorted()).toEqual([...book.claimed].toSorted());
        expect(book.mostActive).toBeLessThanOrEqual(concurrency);
        expect(book.begunAfterAbort).toBe(0);
        for (const [id, result] of book.results) {
          const sent = book.sends.get(id);
          expect(result.status).toBe(sent === undefined ? 'queued' : statusOf[sent]);
        }
        const by = (status: string) => [...book.results.values()].filter((result) => result.status === status).length;
        if (report instanceof Error) {
          expect(report.message).toBe('Postgres is away');
          expect(failedClaim).not.toBeNull();
        } else {
          expect(report).toMatchObject({
            sent: by('accepted') + by('failed'),
            inDoubt: by('in_doubt'),
            givenBack: by('queued'),
          });
          expect(report.sent + report.inDoubt + report.givenBack).toBe(book.claimed.size);
          const wholeWay = !aborting.signal.aborted && report.blocked === null;
          if (wholeWay) expect(book.claimed.size).toBe(count - withheldOf(count, given.withheldEach));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('begins nothing more once Twilio refuses everything, and says why', async () => {
    let blockedAt = 0;
    const { port, book } = memoryPort({
      count: 5_000,
      latencyMs: () => 2,
      outcome: (r) => (r >= 50 ? 'blocked' : 'accepted'),
    });
    const begun: number[] = [];
    const send = port.send.bind(port);
    port.send = async (message) => {
      begun.push(performance.now());
      const answer = await send(message);
      if (answer.kind === 'blocked' && blockedAt === 0) blockedAt = performance.now();
      return answer;
    };
    const report = await dispatch(port, options());
    expect(report.blocked).toEqual({ code: 20003, detail: 'authenticate' });
    expect(begun.filter((at) => at > blockedAt + 1)).toEqual([]);
    expect(book.sends.size).toBeLessThanOrEqual(49 + 10 + 1);
    expect(report.sent).toBe(49);
    expect([...book.results.keys()].toSorted()).toEqual([...book.claimed].toSorted());
  });

  it('slows down together when Twilio asks to come back later, instead of hammering', async () => {
    const { port, book } = memoryPort({ count: 1_000, outcome: () => 'later', latencyMs: () => 1 });
    const aborting = new AbortController();
    setTimeout(() => aborting.abort(), 1_000);
    const report = await dispatch(port, options({ concurrency: 20, signal: aborting.signal }));
    expect(report.throttled).toBe(true);
    // Pauses of 250, 500 ms and so on: three rounds of at most twenty in the first second.
    expect(book.sends.size).toBeLessThanOrEqual(60);
    expect(report.sent).toBe(0);
    expect(report.givenBack).toBe(book.claimed.size);
  });

  it('keeps so many requests under way that latency does not set the pace', async () => {
    const { port, book } = memoryPort({ count: 1_000, latencyMs: () => 20 });
    const startedAt = performance.now();
    await dispatch(port, options({ concurrency: 100 }));
    expect(book.mostActive).toBe(100);
    // Ten rounds of 20 ms; one after another would be 20 s.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it("shares the worker's bound on requests with its other batches", async () => {
    const slots = createSlots(15);
    const [a, b] = [memoryPort({ count: 200, latencyMs: () => 2 }), memoryPort({ count: 200, latencyMs: () => 2 })];
    let most = 0;
    for (const { port } of [a, b]) {
      const send = port.send.bind(port);
      port.send = (message) => {
        most = Math.max(most, a.book.active + b.book.active + 1);
        return send(message);
      };
    }
    const reports = await Promise.all([a, b].map(({ port }) => dispatch(port, options({ concurrency: 15, slots }))));
    expect(reports.map((report) => report.sent)).toEqual([200, 200]);
    expect(most).toBe(15);
  });

  it('slows down when the outcome of ten requests in a row is unknown', async () => {
    const { port, book } = memoryPort({ count: 1_000, outcome: () => 'unknown', latencyMs: () => 1 });
    const aborting = new AbortController();
    setTimeout(() => aborting.abort(), 1_000);
    const report = await dispatch(port, options({ concurrency: 20, signal: aborting.signal }));
    // A round of twenty, and another after each of the pauses of 250 and 500 ms.
    expect(report.inDoubt).toBe(book.sends.size);
    expect(report.inDoubt).toBeLessThanOrEqual(80);
  });

  it('claims the next chunk while one is being sent', async () => {
    const { port, book } = memoryPort({ count: 3_000, latencyMs: () => 10 });
    let claimedWhileSending = 0;
    const claim = port.claim.bind(port);
    port.claim = (...args) => {
      if (book.active > 0) claimedWhileSending += 1;
      return claim(...args);
    };
    await dispatch(port, options({ concurrency: 50 }));
    expect(claimedWhileSending).toBeGreaterThan(2);
  });

  it('holds at most two chunks, so that a pause gives little back', async () => {
    const aborting = new AbortController();
    const { port, book } = memoryPort({ count: 100_000, latencyMs: () => 10, signal: aborting.signal });
    setTimeout(() => aborting.abort(), 300);
    const report = await dispatch(port, options({ concurrency: 20, signal: aborting.signal }));
    expect(report.givenBack).toBeLessThanOrEqual(1_000);
    expect(book.claimed.size).toBe(report.sent + report.givenBack);
  });

  it('gives back what has waited longer than a request may begin after its claim', async () => {
    const { port, book } = memoryPort({ count: 5, latencyMs: () => 1 });
    const real = performance.now.bind(performance);
    let offset = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => real() + offset);
    const claim = port.claim.bind(port);
    port.claim = async (...args) => {
      const result = await claim(...args);
      // The claim itself took this long, as on a database under stress.
      if (book.claims === 1) offset += sendWithinMs + 1;
      return result;
    };
    const report = await dispatch(port, options());
    expect(report).toMatchObject({ sent: 0, givenBack: 5 });
    expect(book.sends.size).toBe(0);
  });

  it('goes at the pace of the permits, and asks for them once, not once per sender', async () => {
    let purse = 0;
    let refills = 0;
    const permits: PermitPurse = {
      spend: (segments) => purse >= segments && ((purse -= segments), true),
      refill: async () => {
        refills += 1;
        await sleep(50);
        purse += 5;
        return null;
      },
    };
    const { port, book } = memoryPort({ count: 50 });
    const report = await dispatch(port, options({ concurrency: 100, rate: 100, permits }));
    expect(report.sent).toBe(50);
    expect(refills).toBe(10);
    expect(book.results.size).toBe(50);
  });

  it('asks for permits again only when more have been fetched: no busy loop', async () => {
    const aborting = new AbortController();
    let asked = 0;
    let refills = 0;
    const never: PermitPurse = {
      spend: () => {
        asked += 1;
        return false;
      },
      refill: async () => {
        refills += 1;
        // Timers come: nothing keeps the event loop to itself.
        await sleep(10);
        if (refills === 20) aborting.abort();
        return null;
      },
    };
    const { port } = memoryPort({ count: 50 });
    const report = await dispatch(port, options({ concurrency: 100, permits: never, signal: aborting.signal }));
    expect(report).toMatchObject({ sent: 0, givenBack: 50 });
    expect(refills).toBe(20);
    expect(asked).toBeLessThanOrEqual(100 * 20);
  });

  it("stops when the carriers' day is full, gives back the rest, and says until when", async () => {
    const tomorrow = new Date('2026-12-02T08:00:00Z');
    let purse = 20;
    const permits: PermitPurse = {
      spend: (segments) => purse >= segments && ((purse -= segments), true),
      refill: async () => tomorrow,
    };
    const { port, book } = memoryPort({ count: 50 });
    const report = await dispatch(port, options({ permits }));
    expect(report).toMatchObject({ sent: 20, givenBack: 30, fullUntil: tomorrow, blocked: null });
    expect(book.results.size).toBe(50);
  });

  it('fails with the failure of a claim, after what was sent is written', async () => {
    const { port, book } = memoryPort({ count: 2_000, latencyMs: () => 1, claimFails: (call) => call === 3 });
    await expect(dispatch(port, options())).rejects.toThrow('Postgres is away');
    expect(book.results.size).toBe(book.claimed.size);
    expect(book.sends.size).toBeGreaterThan(0);
  });

  it('fails when results cannot be written for long, and sends no more meanwhile than it has room for', async () => {
    const real = performance.now.bind(performance);
    let offset = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => real() + offset);
    const { port, book } = memoryPort({ count: 20_000, writeFails: () => 'before' });
    const write = port.write.bind(port);
    port.write = async (results) => {
      // Time passes between tries, as much as is ever spent on one.
      if (book.writes >= 2) offset += 30_000;
      return write(results);
    };
    await expect(dispatch(port, options({ concurrency: 50 }))).rejects.toThrow('Postgres is away');
    expect(book.results.size).toBe(0);
    expect(book.sends.size).toBeLessThanOrEqual(1_500 + 50 + 1);
  });
});

const withheldOf = (count: number, each: number | null): number => (each === null ? 0 : Math.floor(count / each));
