/** When a batch is suspended for its drop rate (F6): measured by simulation, and told in docs/suspension.md. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { falseAlarms, judgeDropRate, sharesOf, type Stretch, stretchSize } from '../../../domain/mass-sms/drop-rate.ts';

const limit = 0.1;
const firstBatch = 5_000;
const laterBatch = 20_000;

/** mulberry32: the same figures on every run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Shares {
  /** The filtered included. */
  dropped: number;
  filtered: number;
}

/** What becomes of a batch when all that fails is known. */
function batchOf(messages: number, { dropped, filtered }: Shares, random: () => number): Stretch[] {
  return Array.from({ length: messages / stretchSize }, () => {
    const stretch = { attempted: stretchSize, dropped: 0, filtered: 0 };
    for (let message = 0; message < stretchSize; message += 1) {
      const fate = random();
      if (fate < dropped) stretch.dropped += 1;
      if (fate < filtered) stretch.filtered += 1;
    }
    return stretch;
  });
}

const isSuspended = (stretches: readonly Stretch[], batch = 1): boolean =>
  judgeDropRate(stretches, { limit, batch }) !== null;

/** After how many messages the batch is suspended when each failure is known at once; null when it never is. */
function messagesNeeded(stretches: readonly Stretch[]): number | null {
  if (!isSuspended(stretches)) return null;
  // What a shorter part betrays a longer one betrays too.
  let [enough, tooFew] = [stretches.length, 0];
  while (enough - tooFew > 1) {
    const middle = Math.floor((enough + tooFew) / 2);
    if (isSuspended(stretches.slice(0, middle))) enough = middle;
    else tooFew = middle;
  }
  return enough * stretchSize;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
const count = (value: number): string => value.toLocaleString('en-US');
const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

/** Median, 95 % and how many were suspended at all. */
function summary(needed: readonly (number | null)[]): string[] {
  const found = needed.filter((one) => one !== null).toSorted((a, b) => a - b);
  if (found.length === 0) return ['never', 'never', percent(0)];
  return [count(quantile(found, 0.5)), count(quantile(found, 0.95)), percent(found.length / needed.length)];
}

const documentation = readFileSync(path.join(import.meta.dirname, '../../../docs/suspension.md'), 'utf8');
const cellsOf = (line: string): string =>
  line
    .split('|')
    .map((cell) => cell.trim())
    .join('|');
const documented = documentation
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map(cellsOf);

/** The table as it was measured just now is to be the one that people read. */
const linesOf = (rows: readonly string[][]): string[] => rows.map((cells) => `|${cells.join('|')}|`);

describe('false alarms', () => {
  it(`of mass SMS of 25,000 at exactly the acceptable shares, at most ${percent(falseAlarms)} are suspended`, () => {
    const random = randomNumbers(1);
    const shares = { dropped: sharesOf.dropped(limit).acceptable, filtered: sharesOf.filtered(limit).acceptable };
    const trials = 4_000;
    let alarms = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const first = isSuspended(batchOf(firstBatch, shares, random), 1);
      if (first || isSuspended(batchOf(laterBatch, shares, random), 2)) alarms += 1;
    }
    expect(alarms / trials).toBeLessThanOrEqual(falseAlarms);
    expect(documented).toEqual(
      expect.arrayContaining(
        linesOf([[count(trials), percent(shares.dropped), percent(shares.filtered), count(alarms)]]),
      ),
    );
  }, 120_000);

  it('at a usual rate of 3 % with few filtered none is', () => {
    const random = randomNumbers(2);
    for (let trial = 0; trial < 500; trial += 1) {
      expect(isSuspended(batchOf(laterBatch, { dropped: 0.03, filtered: 0.003 }, random))).toBe(false);
    }
  });
});

describe('messages until a batch is suspended', () => {
  it('when each failure is known at once', () => {
    const random = randomNumbers(3);
    const rows = (['dropped', 'filtered'] as const).flatMap((rule) =>
      [0.03, 0.1, 0.3].map((share) => {
        const shares = { dropped: share, filtered: rule === 'filtered' ? share : 0 };
        const needed = Array.from({ length: 1_000 }, () => messagesNeeded(batchOf(firstBatch, shares, random)));
        return [rule, percent(share), ...summary(needed)];
      }),
    );
    expect(documented).toEqual(expect.arrayContaining(linesOf(rows)));
  }, 120_000);

  it('when it begins only after 10,000 messages that went well', () => {
    const random = randomNumbers(4);
    const needed = Array.from({ length: 500 }, () => {
      const before = batchOf(10_000, { dropped: 0.02, filtered: 0.002 }, random);
      const all = messagesNeeded([...before, ...batchOf(5_000, { dropped: 0.3, filtered: 0 }, random)]);
      return all && all - 10_000;
    });
    expect(documented).toEqual(expect.arrayContaining(linesOf([['2 %, then 30 %', ...summary(needed)]])));
  }, 120_000);
});

/** A batch that is being sent, as it is known from second to second. */
function underWay(perSecond: number, share: number, random: () => number) {
  const messages = Array.from({ length: firstBatch }, (_, index) => {
    const sentAt = index / perSecond;
    const fails = random() < share;
    // Failures are told within seconds, deliveries within minutes.
    const toldAt = sentAt - Math.log(1 - random()) * (fails ? 10 : 60);
    return { sentAt, fails, toldAt };
  });
  return {
    endsAt: firstBatch / perSecond,
    /** As the product counts: every message that was sent, dropped only once that was told. */
    stretchesAt(now: number): Stretch[] {
      const sent = messages.slice(0, Math.floor(now * perSecond));
      return Array.from({ length: Math.ceil(sent.length / stretchSize) }, (_, index) => {
        const some = sent.slice(index * stretchSize, (index + 1) * stretchSize);
        return {
          attempted: some.length,
          dropped: some.filter((one) => one.fails && one.toldAt <= now).length,
          filtered: 0,
        };
      });
    },
    /** The share among those of which anything was told. */
    shareOfToldAt(now: number): { told: number; share: number } {
      const told = messages.filter((one) => one.toldAt <= now);
      return { told: told.length, share: told.filter((one) => one.fails).length / told.length };
    },
  };
}

const lookEverySeconds = 2;

describe('while failures are told sooner than deliveries', () => {
  it('messages that were sent until a batch is suspended, by its speed', () => {
    const random = randomNumbers(5);
    const rows = [3.75, 12, 225].flatMap((perSecond) =>
      [0.1, 0.3].map((share) => {
        const sent = Array.from({ length: 100 }, () => {
          const batch = underWay(perSecond, share, random);
          for (let now = lookEverySeconds; now < batch.endsAt; now += lookEverySeconds) {
            if (isSuspended(batch.stretchesAt(now))) return Math.floor(now * perSecond);
          }
          return null;
        });
        return [`${perSecond} a second`, percent(share), ...summary(sent)];
      }),
    );
    expect(documented).toEqual(expect.arrayContaining(linesOf(rows)));
  }, 240_000);

  it('no healthy batch is suspended, although the share of those told of is far beyond the limit at first', () => {
    const random = randomNumbers(6);
    let misled = 0;
    for (let trial = 0; trial < 40; trial += 1) {
      const batch = underWay(12, 0.03, random);
      let highest = 0;
      for (let now = lookEverySeconds; now < 240; now += lookEverySeconds) {
        expect(isSuspended(batch.stretchesAt(now))).toBe(false);
        const { told, share } = batch.shareOfToldAt(now);
        if (told >= 50) highest = Math.max(highest, share);
      }
      if (highest > limit) misled += 1;
    }
    expect(misled).toBeGreaterThan(20);
    expect(documented).toEqual(
      expect.arrayContaining(linesOf([['12 a second', percent(0.03), `${misled} of 40`, '0 of 40']])),
    );
  }, 120_000);
});

describe('a verdict', () => {
  const good: Stretch = { attempted: 50, dropped: 1, filtered: 0 };
  const bad: Stretch = { attempted: 50, dropped: 25, filtered: 0 };

  it('counts the part of the batch that betrays it', () => {
    const stretches = [...Array.from({ length: 40 }, () => good), bad, bad, bad];
    expect(judgeDropRate(stretches, { limit, batch: 1 })).toEqual({ rule: 'dropped', attempted: 150, counted: 75 });
  });

  it('says that messages were filtered when that alone is reason enough', () => {
    const filtered = Array.from({ length: 10 }, () => ({ attempted: 50, dropped: 10, filtered: 9 }));
    expect(judgeDropRate(filtered, { limit, batch: 1 })).toEqual({ rule: 'filtered', attempted: 500, counted: 90 });
  });

  it('is not given on fewer than a hundred messages', () => {
    expect(judgeDropRate([bad], { limit, batch: 1 })).toBeNull();
    expect(judgeDropRate([bad, bad], { limit, batch: 1 })).not.toBeNull();
    expect(judgeDropRate([], { limit, batch: 1 })).toBeNull();
  });

  it('follows the limit that was set', () => {
    const stretches = Array.from({ length: 20 }, () => ({ attempted: 50, dropped: 10, filtered: 0 }));
    expect(judgeDropRate(stretches, { limit: 0.1, batch: 1 })).not.toBeNull();
    expect(judgeDropRate(stretches, { limit: 0.4, batch: 1 })).toBeNull();
  });
});
