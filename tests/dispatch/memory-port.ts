/** What `dispatch` reaches, in memory, with a ledger that tests check. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DispatchOptions, DispatchPort } from '../../activities/dispatch/dispatch.ts';
import type { PermitPurse } from '../../activities/dispatch/permits.ts';
import { createSlots } from '../../activities/dispatch/slots.ts';
import type { Claimed, SendResult } from '../../db/messages/outgoing.ts';
import type { SendOutcome } from '../../twilio/gateway.ts';

const outcomes = {
  accepted: { kind: 'accepted', sid: 'SM1', status: 'accepted' },
  refused: { kind: 'refused', code: 21211, detail: 'invalid number' },
  unknown: { kind: 'unknown', detail: 'HTTP 500' },
  later: { kind: 'later', detail: 'HTTP 429' },
  blocked: { kind: 'blocked', code: 20003, detail: 'authenticate' },
} as const satisfies Record<string, SendOutcome>;
export type Kind = keyof typeof outcomes;

export const statusOf: Record<Kind, SendResult['status']> = {
  accepted: 'accepted',
  refused: 'failed',
  unknown: 'in_doubt',
  later: 'queued',
  blocked: 'queued',
};

const unpaced: PermitPurse = { spend: () => true, refill: async () => null };

interface World {
  /** How many are due. */
  count: number;
  outcome?: (rank: number) => Kind;
  latencyMs?: (rank: number) => number;
  claimMs?: number;
  /** Ranks that a claim looks at and does not hand out: opted out since. */
  withheld?: (rank: number) => boolean;
  /** Which claims and writes fail, counted from 1. */
  claimFails?: (call: number) => boolean;
  writeFails?: (call: number) => false | 'before' | 'after';
  signal?: AbortSignal;
}

/** What Postgres and Twilio would hold, with the ledger that the tests check. */
export function memoryPort(world: World) {
  const { count, outcome = () => 'accepted', latencyMs = () => 0, claimMs = 0, withheld = () => false } = world;
  const book = {
    claimed: new Set<string>(),
    claims: 0,
    writes: 0,
    results: new Map<string, SendResult>(),
    contradicted: [] as string[],
    sends: new Map<string, Kind>(),
    twice: [] as string[],
    begunAfterAbort: 0,
    active: 0,
    mostActive: 0,
    largestWrite: 0,
    looks: 0,
    /** Ids of those who have opted out since they were claimed. */
    optedOut: new Set<string>(),
  };
  const port: DispatchPort = {
    async claim(afterRank, limit) {
      book.claims += 1;
      const call = book.claims;
      if (claimMs > 0) await sleep(claimMs);
      if (world.claimFails?.(call)) throw new Error('Postgres is away');
      const claimed: Claimed[] = [];
      let rank = afterRank;
      for (let looked = 0; looked < limit && rank < count; looked += 1) {
        rank += 1;
        if (withheld(rank)) continue;
        const id = `msg_${rank}`;
        if (book.claimed.has(id)) book.twice.push(id);
        book.claimed.add(id);
        claimed.push({ id, rank, to: `+1${rank}`, from: '+1312', body: 'Hello' });
      }
      return { claimed, lastRank: rank === afterRank ? null : rank };
    },
    async optedOut(messages) {
      book.looks += 1;
      await sleep(0);
      return new Set(messages.map(({ id }) => id).filter((id) => book.optedOut.has(id)));
    },
    async send({ id, rank }) {
      if (world.signal?.aborted) book.begunAfterAbort += 1;
      if (book.sends.has(id)) book.twice.push(id);
      const kind = outcome(rank);
      book.sends.set(id, kind);
      book.active += 1;
      book.mostActive = Math.max(book.mostActive, book.active);
      const latency = latencyMs(rank);
      if (latency > 0) await sleep(latency);
      book.active -= 1;
      return outcomes[kind];
    },
    async write(results) {
      book.writes += 1;
      const failure = world.writeFails?.(book.writes) ?? false;
      await sleep(0);
      if (failure === 'before') throw new Error('Postgres is away');
      book.largestWrite = Math.max(book.largestWrite, results.length);
      for (const result of results) {
        const known = book.results.get(result.id);
        if (known && known !== result) book.contradicted.push(result.id);
        book.results.set(result.id, result);
      }
      if (failure === 'after') throw new Error('the connection broke after the commit');
    },
  };
  return { port, book };
}

export const options = (given: Partial<DispatchOptions> = {}): DispatchOptions => ({
  concurrency: 10,
  slots: createSlots(given.concurrency ?? 10),
  rate: null,
  permits: unpaced,
  signal: new AbortController().signal,
  ...given,
});
