/** Suspends a mass SMS of which too many messages are dropped, while a batch of it is being sent (F6). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { insertAuditEntry } from '../../db/organizations/audit.ts';
import type { Database, Trx } from '../../db/database.ts';
import { type Counted, dropsByArea, dropsByCode, dropStretches } from '../../db/mass-sms/drop-rate.ts';
import {
  batchesOf,
  findMassSms,
  rankRange,
  sendingOrganization,
  talliesOf,
  totalTally,
} from '../../db/mass-sms/mass-sms.ts';
import { setStatus } from '../../db/mass-sms/status.ts';
import type { MassSmsRow } from '../../db/schema.ts';
import { type DropVerdict, judgeDropRate } from '../../domain/mass-sms/drop-rate.ts';
import { dropsOf, suspensionInWords } from '../../domain/mass-sms/drop-report.ts';
import { maySuspend } from '../../domain/mass-sms/mass-sms.ts';

/** How long until it is looked again; longer where a look takes long, so that looking stays a small part of the work. */
const lookEveryMs = 2_000;
const shareOfLooking = 0.05;
const mostFailedLooks = 10;

interface Watched {
  organizationId: string;
  massSmsId: string;
  /** The batch that is being sent. */
  batch: number;
}

/**
 * Does `work` under a watch: it is told to stop as soon as so many messages have been dropped that the mass SMS was
 * suspended. From that commit on no worker claims another message.
 *
 * Before anything is sent the batch before is judged once more: most of what is told of it is told after its end.
 *
 * @param stop what else ends the work
 */
export async function whileFewAreDropped<T>(
  deps: { database: Database; clock: Clock },
  watched: Watched,
  stop: AbortSignal,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const suspended = new AbortController();
  const done = new AbortController();
  for (const batch of [watched.batch - 1, watched.batch]) {
    if (await suspendIfDropped(deps, { ...watched, batch })) suspended.abort();
  }
  const failure = watch(deps, watched, { suspended, done: done.signal });
  let result: T;
  try {
    result = await work(AbortSignal.any([stop, suspended.signal]));
  } finally {
    done.abort();
    await failure;
  }
  const error = await failure;
  if (error !== null) throw error;
  return result;
}

/** Looks again and again until it is suspended or `done`. @returns what kept it from looking at all, or null */
async function watch(
  deps: { database: Database; clock: Clock },
  watched: Watched,
  { suspended, done }: { suspended: AbortController; done: AbortSignal },
): Promise<unknown> {
  let failedLooks = 0;
  for (let pauseMs = lookEveryMs; !suspended.signal.aborted && !done.aborted;) {
    await sleep(pauseMs, undefined, { signal: done }).catch(() => {});
    if (done.aborted) break;
    const startedAt = performance.now();
    try {
      if (await suspendIfDropped(deps, watched)) suspended.abort();
      failedLooks = 0;
    } catch (error) {
      // While Postgres is away nothing is claimed either. But nothing may be sent for long that nobody looks at.
      failedLooks += 1;
      if (failedLooks < mostFailedLooks) continue;
      suspended.abort();
      return error;
    }
    pauseMs = Math.max(lookEveryMs, (performance.now() - startedAt) / shareOfLooking);
  }
  return null;
}

/** @returns whether it is suspended by now */
const suspendIfDropped = (
  { database, clock }: { database: Database; clock: Clock },
  { organizationId, massSmsId, batch }: Watched,
): Promise<boolean> =>
  database.inOrganization(organizationId, async (trx) => {
    const row = await findMassSms(trx, massSmsId);
    if (!row || batch < 1) return false;
    if (!maySuspend(row.status)) return row.status === 'suspended';
    const counted = { range: rankRange(row, await batchesOf(trx, massSmsId), batch), since: row.drop_rate_since };
    const { dropRateLimit: limit } = (await sendingOrganization(trx, organizationId)).settings;
    const verdict = judgeDropRate(await dropStretches(trx, counted), { limit, batch });
    return verdict !== null && suspend(trx, row, { counted, verdict, now: clock.now() });
  });

/** Of one that is all but sent nothing would be saved. */
async function isAnythingLeft(trx: Trx, id: string): Promise<boolean> {
  const { queued = 0, sending = 0 } = totalTally((await talliesOf(trx, [id])).get(id)?.values() ?? []);
  return queued + sending > 0;
}

interface Finding {
  counted: Counted;
  verdict: DropVerdict;
  now: Date;
}

/** @returns false when a command came first */
async function suspend(trx: Trx, { id, organization_id: organizationId }: MassSmsRow, finding: Finding) {
  const { counted, verdict, now } = finding;
  const row = await findMassSms(trx, id, { lock: true });
  if (!row || !maySuspend(row.status) || !(await isAnythingLeft(trx, id))) return false;
  // Suspended and released meanwhile: what was counted does not count any more.
  if (row.drop_rate_since?.getTime() !== counted.since?.getTime()) return false;
  const drops = dropsOf(await dropsByCode(trx, counted), await dropsByArea(trx, counted));
  const cause = { code: 'drop_rate', detail: suspensionInWords(verdict, drops), drops };
  await setStatus(trx, id, 'suspended', { now, cause });
  await insertAuditEntry(trx, {
    organizationId,
    actor: 'longwave',
    action: 'mass_sms.suspend',
    subject: id,
    detail: { rule: verdict.rule, attempted: verdict.attempted, counted: verdict.counted },
    at: now,
  });
  return true;
}
