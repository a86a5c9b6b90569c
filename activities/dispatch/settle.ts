/** Settles messages in doubt: those whose request may or may not have reached Twilio. */
import pLimit from 'p-limit';
import type { Clock } from '../../clock.ts';
import type { Database, Trx } from '../../db/database.ts';
import { hopeless } from '../../domain/messages/awaited-reports.ts';
import { countSegments } from '../../domain/messages/segments.ts';
import {
  settleAsSent,
  settleAsUnknown,
  settleAsUnsent,
  sidsOfOthers,
  type Unsettled,
} from '../../db/messages/outgoing.ts';
import type { TwilioAccount } from '../../twilio/gateway.ts';
import { requestTimeoutMs } from '../../twilio/http-client.ts';
import { sendWithinMs } from './dispatch.ts';

/** After this long no request of a claim can be under way any more, with some to spare for clocks that differ. */
export const settleAfterMs = sendWithinMs + requestTimeoutMs + 5_000;

/** Searches under way at once, all batches of a worker together. */
export const searchesAtOnce = 20;
const searching = pLimit(searchesAtOnce);

/** While something stays in doubt it is looked for again after a quarter of the time it has been, within these bounds. */
const lookAgain = { leastMs: 2_000, mostMs: 15 * 60_000 };
/** Then a message that cannot be told from a stranger's ends as failed: never sent a second time, and not for ever open. */
const giveUpAfterMs = 4 * 3_600_000;

export interface SettleReport {
  /** Twilio had it. */
  sent: number;
  /** Twilio did not know it, so it is queued again. */
  unsent: number;
  /** Still in doubt: too recent, or Twilio could not be asked. */
  left: number;
  /** When to look again; null when nothing is left. */
  lookAgainAt: Date | null;
}

/**
 * Asks Twilio about every message listed whose claim is old enough. Status callbacks settle some without it.
 *
 * A message from the same line to the same number that belongs to no other row but reads differently is no proof either
 * way: then it stays in doubt, rather than being sent a second time, and after four hours ends as failed. While Twilio
 * cannot be asked at all it stays in doubt for four days.
 *
 * @param account null for an organization that has none any more
 * @param list those whose request may or may not have reached Twilio
 * @param signal stops asking; what was not asked about is left
 */
export async function settleDoubts(
  { database, clock, account }: { database: Database; clock: Clock; account: TwilioAccount | null },
  organizationId: string,
  list: (trx: Trx) => Promise<readonly Unsettled[]>,
  signal: AbortSignal,
): Promise<SettleReport> {
  const unsettled = await database.inOrganization(organizationId, list);
  const now = clock.now();
  const isRipe = (message: Unsettled) => now.getTime() - message.claimedAt.getTime() >= settleAfterMs;
  const ripe = unsettled.filter(isRipe);
  const left = unsettled.filter((message) => !isRipe(message));
  const report: SettleReport = { sent: 0, unsent: 0, left: 0, lookAgainAt: null };

  const settleOne = async (message: Unsettled): Promise<void> => {
    const { id, to, from, body, claimedAt } = message;
    const found = (await account?.findSent({ to, from, since: claimedAt }).catch(() => null)) ?? null;
    if (found === null) {
      if (!hopeless(claimedAt, now)) left.push(message);
      else await database.inOrganization(organizationId, (trx) => settleAsUnknown(trx, id, clock.now()));
      return;
    }
    await database.inOrganization(organizationId, async (trx) => {
      const others = found.length > 0 ? await sidsOfOthers(trx, { id, to, sids: found.map((item) => item.sid) }) : null;
      const unowned = found.filter((item) => !others?.has(item.sid));
      const own = unowned.find((item) => item.body === body);
      const segments = own?.segments ?? countSegments(body).segments;
      if (own) await settleAsSent(trx, id, { ...own, segments }, clock.now());
      else if (unowned.length === 0) await settleAsUnsent(trx, id, claimedAt);
      else if (now.getTime() - claimedAt.getTime() > giveUpAfterMs) await settleAsUnknown(trx, id, clock.now());
      else left.push(message);
      if (own) report.sent += 1;
      else if (unowned.length === 0) report.unsent += 1;
    });
  };
  const settleUnlessStopped = async (message: Unsettled): Promise<void> => {
    if (signal.aborted) left.push(message);
    else await settleOne(message);
  };
  await Promise.all(ripe.map((message) => searching(() => settleUnlessStopped(message))));

  report.left = left.length;
  const next = left.map(({ claimedAt }) => nextLook(claimedAt.getTime(), now.getTime()));
  if (next.length > 0) report.lookAgainAt = new Date(Math.min(...next));
  return report;
}

/** When to look for a message claimed at `claimedAt` again, both in epoch milliseconds. */
function nextLook(claimedAt: number, now: number): number {
  const pause = Math.min(lookAgain.mostMs, Math.max(lookAgain.leastMs, (now - claimedAt) / 4));
  return Math.max(claimedAt + settleAfterMs, now + pause);
}
