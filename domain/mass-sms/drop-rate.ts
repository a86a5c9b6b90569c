/**
 * Whether so many messages of a batch are dropped that it must stop (F6): a test that may be looked at again and again.
 *
 * Counts go in as stretches of so many messages in the order in which they were claimed, each message counted as **not**
 * dropped until Twilio says that it was. Failures are reported sooner than deliveries, so that among the messages with a
 * report far too many have failed; among all that were sent the share is never too high, and neither is the evidence.
 *
 * The evidence is the wealth of somebody who bets against "at most the acceptable share is dropped", one message after
 * the other. If that is true the wealth is a supermartingale of 1, and by Ville's inequality it reaches 1/a at some time
 * with probability a at most, however often it is looked at. docs/suspension.md derives it and says how fast it is.
 */

/** So many messages in the order of their claims. */
export interface Stretch {
  /** Claimed to be sent, whatever became of them. */
  attempted: number;
  /** Known not to have arrived, the filtered included. */
  dropped: number;
  /** Of these, held back by a carrier's filter. */
  filtered: number;
}

export const stretchSize = 50;

/** `filtered`: the carriers take the text for spam, which is worse than numbers that are dead. */
export type DropRule = 'dropped' | 'filtered';

export interface DropVerdict {
  rule: DropRule;
  /** In the part of the batch that betrays it, up to its last message. */
  attempted: number;
  /** As the rule counts them. */
  counted: number;
}

/** Most mass SMS that are suspended although never more than the acceptable share was dropped: one of a thousand. */
export const falseAlarms = 0.001;

/** Fewer messages say nothing of a list, however they end. */
const leastMessages = 100;

/** Bets are opened anew every so many stretches: what begins in the middle is not outweighed by all that went well. */
const stretchesPerBet = 20;

/**
 * What a setting of `dropRateLimit` means for each rule: the share at which it is to suspend, and the share up to which it
 * must not. At the default of 10 % these are the 10 % and 5 % at which providers pause and warn, and for filtered
 * messages 3 % and 1 %.
 */
export const sharesOf: Readonly<Record<DropRule, (limit: number) => { limit: number; acceptable: number }>> = {
  dropped: (limit) => ({ limit, acceptable: limit / 2 }),
  filtered: (limit) => ({ limit: 0.3 * limit, acceptable: 0.1 * limit }),
};

/** How strong the evidence of one rule must be: half of the false alarms are its own, and 1/2, 1/6, 1/12 … are each batch's. */
const thresholdOf = (batch: number): number => (2 * batch * (batch + 1)) / falseAlarms;

/**
 * Judges a batch by all that is known of it.
 *
 * @param limit the organization's `dropRateLimit`, a share
 * @param batch its number, from 1: the later ones share what the first leaves of the false alarms
 * @returns null while there is no reason to suspend
 */
export function judgeDropRate(
  stretches: readonly Stretch[],
  { limit, batch }: { limit: number; batch: number },
): DropVerdict | null {
  for (const rule of ['filtered', 'dropped'] as const) {
    const bet = winningBet(stretches, rule, { ...sharesOf[rule](limit), threshold: thresholdOf(batch) });
    if (bet !== null) return verdictOf(stretches.slice(bet * stretchesPerBet), rule);
  }
  return null;
}

function verdictOf(part: readonly Stretch[], rule: DropRule): DropVerdict {
  const total = (of: keyof Stretch): number => part.reduce((sum, stretch) => sum + stretch[of], 0);
  return { rule, attempted: total('attempted'), counted: total(rule) };
}

/**
 * Plays all bets through, stretch after stretch.
 *
 * @returns the bet that has won most at the moment when all together are worth the threshold; null when they never are
 */
function winningBet(
  stretches: readonly Stretch[],
  rule: DropRule,
  { limit, acceptable, threshold }: { limit: number; acceptable: number; threshold: number },
): number | null {
  // The share under suspicion is not known: a quarter is bet on each.
  const shares = [1, 2, 4, 8].map((times) => Math.min(times * limit, 0.95));
  // Wealth of each bet by share; a bet is worth what it was given until it is opened.
  const bets: number[][] = [];
  let attempted = 0;
  for (const [index, stretch] of stretches.entries()) {
    if (index % stretchesPerBet === 0) bets.push(shares.map(() => 1 / shares.length));
    const hits = stretch[rule];
    const misses = stretch.attempted - hits;
    const factors = shares.map((share) => (share / acceptable) ** hits * ((1 - share) / (1 - acceptable)) ** misses);
    for (const bet of bets) for (const [at, factor] of factors.entries()) bet[at]! *= factor;
    attempted += stretch.attempted;
    if (attempted < leastMessages) continue;
    const worth = bets.map((bet, at) => weightOf(at) * bet.reduce((sum, wealth) => sum + wealth, 0));
    if (worth.reduce((sum, one) => sum + one, 0) >= threshold) return worth.indexOf(Math.max(...worth));
  }
  return null;
}

/** 1/2, 1/6, 1/12 …: together 1, for as many bets as there may be. */
const weightOf = (bet: number): number => 1 / ((bet + 1) * (bet + 2));
