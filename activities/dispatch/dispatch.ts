/**
 * Sends what is due: claims in chunks, the next chunk claimed while one is sent, bounded concurrency, results in bulk.
 *
 * Why nothing is sent twice: a message is `sending` in Postgres before its request leaves; a request begins at most
 * `sendWithinMs` after the claim and is over after `requestTimeoutMs`; so `settleAfterMs` after a claim no
 * request of it can be under way, and only then does `settle.ts` ask Twilio about a message without a known outcome.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Claimed, ClaimResult, SendResult } from '../../db/messages/outgoing.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import type { SendOutcome } from '../../twilio/gateway.ts';
import type { PermitPurse } from './permits.ts';
import { resultWriter } from './result-writer.ts';
import type { Slots } from './slots.ts';

/** A claimed message whose request has not begun by then is given back instead. */
export const sendWithinMs = 5_000;

/**
 * How long a look at opt-outs is good for. What is in hand was judged when it was claimed, and a STOP since then beats it
 * all the same: one query for all of them, some times a second.
 */
const lookEveryMs = 250;

const largestChunk = 500;
/** A chunk is what can be sent in about this time, so that a pause gives little back and no claim grows stale. */
const chunkMs = 1_500;

/** So many unknown outcomes in a row are no accident. */
const illAfter = 10;

export interface DispatchPort {
  /** Claims up to `limit` messages after `rank`. */
  claim(afterRank: number, limit: number): Promise<ClaimResult>;
  /** Of messages in hand, the ids of those whose contacts have opted out by now. */
  optedOut(messages: readonly Claimed[]): Promise<ReadonlySet<string>>;
  send(message: Claimed): Promise<SendOutcome>;
  write(results: readonly SendResult[]): Promise<void>;
}

export interface DispatchOptions {
  /** Requests under way at once. */
  concurrency: number;
  /** The worker's own bound on requests under way, which all its batches share. */
  slots: Slots;
  /** Segments per second, or null. */
  rate: number | null;
  permits: PermitPurse;
  /** Aborts when sending must stop: pause, cancel, the window's end, the worker's shutdown. */
  signal: AbortSignal;
  onProgress?: (sent: number) => void;
}

export interface DispatchReport {
  sent: number;
  inDoubt: number;
  givenBack: number;
  /** Why nothing more can go out until a person acts. */
  blocked: { code: number; detail: string } | null;
  /** Twilio asked to come back later for some, which are queued again. */
  throttled: boolean;
  /** When the carriers' day ends, of which all has been sent that may be; null while there is more. */
  fullUntil: Date | null;
}

interface Ready {
  message: Claimed;
  segments: number;
  /** Until when its request may begin, by both clocks: the monotonic one stands still while a machine is suspended. */
  sendBy: { monotonic: number; wall: number };
  /** Until when nobody has to look again whether its contact has opted out. */
  clearedUntil: number;
  /** As of the last look. */
  isOptedOut: boolean;
}

const isCleared = ({ clearedUntil }: Ready): boolean => performance.now() < clearedUntil;
const isStale = ({ sendBy }: Ready): boolean => performance.now() > sendBy.monotonic || Date.now() > sendBy.wall;

/** Runs once through what is due, in order of rank. Returns when nothing more can be claimed or `signal` aborts. */
export async function dispatch(port: DispatchPort, options: DispatchOptions): Promise<DispatchReport> {
  const { concurrency, slots, permits, signal, onProgress } = options;
  const report: DispatchReport = {
    sent: 0,
    inDoubt: 0,
    givenBack: 0,
    blocked: null,
    throttled: false,
    fullUntil: null,
  };
  const writer = resultWriter((results) => port.write(results));
  const startedAt = performance.now();
  let ready: Ready[] = [];
  let position = 0;
  /** Taken from those, and waiting for a place. */
  const waiting = new Set<Ready>();
  let afterRank = 0;
  let exhausted = false;
  let refilling: Promise<void> | null = null;
  let ahead: Promise<Ready[]> | null = null;
  let pauseMs = 0;
  let resumeAt = 0;
  let unknownInARow = 0;
  let failure: unknown;

  const stopped = () => signal.aborted || report.blocked !== null || report.fullUntil !== null || failure !== undefined;

  const chunkSize = (): number => {
    const seconds = (performance.now() - startedAt) / 1000;
    const perSecond = seconds > 0.5 ? report.sent / seconds : largestChunk;
    const byPermits = options.rate === null ? largestChunk : options.rate * (chunkMs / 1000);
    return Math.max(
      1,
      Math.floor(Math.min(largestChunk, byPermits, Math.max(perSecond * (chunkMs / 1000), concurrency))),
    );
  };
  const claimChunk = async (): Promise<Ready[]> => {
    const limit = chunkSize();
    const askedAt = performance.now();
    const sendBy = { monotonic: askedAt + sendWithinMs, wall: Date.now() + sendWithinMs };
    const { claimed, lastRank } = await port.claim(afterRank, limit);
    if (lastRank === null) exhausted = true;
    else afterRank = lastRank;
    return claimed.map((message) => ({
      message,
      segments: countSegments(message.body).segments,
      sendBy,
      clearedUntil: askedAt + lookEveryMs,
      isOptedOut: false,
    }));
  };
  const refill = async (): Promise<void> => {
    while (position >= ready.length && !stopped()) {
      const claiming = ahead ?? (exhausted ? null : claimChunk());
      if (!claiming) return;
      ahead = null;
      ready = await claiming;
      position = 0;
      ahead = exhausted || stopped() ? null : claimChunk();
      // Unobserved until the next refill: without this a failed claim would count as unhandled meanwhile.
      ahead?.catch(() => {});
    }
  };
  const refillOnce = (): Promise<void> => {
    refilling ??= refill().finally(() => {
      refilling = null;
    });
    return refilling;
  };

  let looking: Promise<void> | null = null;
  const look = async (): Promise<void> => {
    const inHand = [...waiting, ...ready.slice(position)];
    const optedOut = await port.optedOut(inHand.map(({ message }) => message));
    // From the answer on: a look that takes longer than it is good for must not keep everything waiting.
    const clearedUntil = performance.now() + lookEveryMs;
    for (const item of inHand) {
      item.clearedUntil = clearedUntil;
      item.isOptedOut = optedOut.has(item.message.id);
    }
  };
  const lookOnce = (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  };
  const drop = ({ message }: Ready): void => {
    writer.add({ id: message.id, status: 'cancelled', sid: null, errorCode: null, segments: null });
  };

  const giveBack = ({ message, segments }: Ready): void => {
    report.givenBack += 1;
    writer.add({ id: message.id, status: 'queued', sid: null, errorCode: null, segments });
  };
  const next = async (): Promise<Ready | null> => {
    while (!stopped()) {
      if (position >= ready.length) {
        if (exhausted && !ahead && !refilling) return null;
        await refillOnce();
        continue;
      }
      const candidate = ready[position]!;
      if (isStale(candidate)) {
        position += 1;
        giveBack(candidate);
        continue;
      }
      if (candidate.isOptedOut) {
        position += 1;
        drop(candidate);
        continue;
      }
      if (resumeAt > performance.now()) {
        await sleep(resumeAt - performance.now(), undefined, { signal }).catch(() => {});
        continue;
      }
      if (!isCleared(candidate)) {
        await lookOnce();
        continue;
      }
      if (permits.spend(candidate.segments)) {
        position += 1;
        return candidate;
      }
      await refillPermits(candidate.segments);
    }
    return null;
  };
  let fetching: Promise<void> | null = null;
  const refillPermits = (least: number): Promise<void> => {
    fetching ??= permits
      .refill(least, signal)
      .then((fullUntil) => {
        report.fullUntil = fullUntil;
      })
      .finally(() => {
        fetching = null;
      });
    return fetching;
  };

  /** Many requests fail at once: they count as one reason to slow down, not as many. */
  const slowDown = (): void => {
    if (resumeAt > performance.now()) return;
    pauseMs = Math.min(Math.max(250, pauseMs * 2), 4_000);
    resumeAt = performance.now() + pauseMs;
  };
  const record = (item: Ready, outcome: SendOutcome): void => {
    const base = { id: item.message.id, sid: null, errorCode: null, segments: item.segments };
    switch (outcome.kind) {
      case 'accepted':
        pauseMs = 0;
        unknownInARow = 0;
        report.sent += 1;
        writer.add({ ...base, status: outcome.status, sid: outcome.sid });
        break;
      case 'refused':
        report.sent += 1;
        writer.add({ ...base, status: 'failed', errorCode: outcome.code });
        break;
      case 'unknown':
        report.inDoubt += 1;
        unknownInARow += 1;
        // Now and then an answer is lost; many in a row mean that Twilio is ill, and each is a search to come.
        if (unknownInARow >= illAfter) slowDown();
        writer.add({ ...base, status: 'in_doubt' });
        break;
      case 'blocked':
        report.blocked ??= { code: outcome.code, detail: outcome.detail };
        giveBack(item);
        break;
      case 'later':
        report.throttled = true;
        slowDown();
        giveBack(item);
        break;
    }
    onProgress?.(report.sent);
  };

  /** Waits for a place; that may take long, and then somebody has to look once more. */
  const begin = async (item: Ready, place: Promise<void>): Promise<void> => {
    waiting.add(item);
    await place;
    try {
      while (!isCleared(item)) await lookOnce();
    } catch (error) {
      failure ??= error;
    }
    waiting.delete(item);
  };
  const sender = async (): Promise<void> => {
    try {
      for (let item = await next(); item; item = await next()) {
        const place = slots.take();
        if (place) await begin(item, place);
        try {
          if (stopped() || isStale(item)) giveBack(item);
          else if (item.isOptedOut) drop(item);
          else record(item, await port.send(item.message));
        } finally {
          slots.give();
        }
        await writer.room();
      }
    } catch (error) {
      failure ??= error;
    }
  };

  await Promise.all(Array.from({ length: concurrency }, sender));
  for (const item of ready.slice(position)) giveBack(item);
  if (ahead) {
    try {
      for (const item of await (ahead as Promise<Ready[]>)) giveBack(item);
    } catch (error) {
      failure ??= error;
    }
  }
  await writer.finish();
  if (failure !== undefined) throw failure;
  return report;
}
