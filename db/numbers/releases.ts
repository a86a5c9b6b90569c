/** Releases of numbers: asked for, carried out and given up. What was sent from a number stays. */
import type { Trx } from '../database.ts';
import { tellOfMessages } from '../messages/messages.ts';
import type { ChangedMessages } from '../consent/opt-ins.ts';
import type { MassSmsRow, NumberRow } from '../schema.ts';
import { assignUsers } from './lines.ts';
import { mayStillSend, reroute } from './reroute.ts';
import { giveUpWaiting, isLeaving, moveWaiting } from './waiting-messages.ts';

export interface NewRelease {
  organizationId: string;
  jobId: string;
  numberIds: readonly string[];
  at: Date;
}

export type Begun =
  | { kind: 'begun' }
  /** Of no number of this organization. */
  | { kind: 'unknown'; numberIds: string[] }
  /** These mass SMS would be left without a line. */
  | { kind: 'in_use'; massSms: MassSmsRow[] };

/**
 * Locks numbers and every line that may send in their place: two releases at once must not each count on the other's line,
 * and a mass SMS that is just being made holds the lines it was made for.
 *
 * @returns those of the numbers that exist, by id
 */
async function lockNumbers(
  trx: Trx,
  organizationId: string,
  numberIds: readonly string[],
): Promise<Map<string, NumberRow>> {
  const rows = await trx
    .selectFrom('phone_numbers')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where((or) =>
      or.or([or('id', 'in', numberIds), or.and([or('released_at', 'is', null), or('pool_id', 'is not', null)])]),
    )
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  const wanted = new Set(numberIds);
  return new Map(rows.filter((row) => wanted.has(row.id)).map((row) => [row.id, row]));
}

const stopSending = (trx: Trx, numberIds: readonly string[], at: Date) =>
  trx
    .updateTable('phone_numbers')
    .set({ releasing_since: at })
    .where('id', 'in', numberIds)
    .where('releasing_since', 'is', null)
    .where('released_at', 'is', null)
    .execute();

/**
 * Begins to release numbers: from the commit on nothing is queued on them. One that is being released already, or is
 * released, is fine. Unless the answer is `begun` the transaction must be undone.
 */
export async function beginRelease(trx: Trx, { organizationId, jobId, numberIds, at }: NewRelease): Promise<Begun> {
  const numbers = await lockNumbers(trx, organizationId, numberIds);
  const unknown = numberIds.filter((id) => !numbers.has(id));
  if (unknown.length > 0) return { kind: 'unknown', numberIds: unknown };
  await trx
    .insertInto('number_releases')
    .values(
      numberIds.map((id) => ({
        organization_id: organizationId,
        job_id: jobId,
        number_id: id,
        state: 'waiting' as const,
      })),
    )
    .execute();
  await stopSending(trx, numberIds, at);
  const leaving = [...numbers.values()].filter((row) => row.released_at === null);
  const lines = leaving.map((row) => row.phone_number);
  const moved = await moveWaiting(trx, organizationId, lines);
  const massSms = await reroute(trx, organizationId, { lines, now: at });
  await tellOfMessages(trx, organizationId, moved, at);
  return massSms.length > 0 ? { kind: 'in_use', massSms } : { kind: 'begun' };
}

/** One number of a run of releases. */
export interface ReleaseRef {
  organizationId: string;
  jobId: string;
  numberId: string;
}

export interface Release {
  state: 'waiting' | 'released' | 'failed';
  /** Who asked for it. */
  actor: string;
  number: NumberRow;
}

/** A release and its number, locked. Null when there is none. */
async function lockRelease(trx: Trx, { organizationId, jobId, numberId }: ReleaseRef): Promise<Release | null> {
  const number = (await lockNumbers(trx, organizationId, [numberId])).get(numberId);
  const release = await trx
    .selectFrom('number_releases')
    .innerJoin('number_jobs', 'number_jobs.id', 'number_releases.job_id')
    .select(['number_releases.state', 'number_jobs.actor'])
    .where('number_releases.job_id', '=', jobId)
    .where('number_releases.number_id', '=', numberId)
    .executeTakeFirst();
  return number && release ? { ...release, number } : null;
}

export type Readiness =
  | { kind: 'unknown' }
  | { kind: 'ended'; state: 'released' | 'failed' }
  /** Something may still leave from it. */
  | { kind: 'sending' }
  | { kind: 'in_use'; massSms: MassSmsRow[] }
  /** It may be released at Twilio. */
  | { kind: 'ready'; twilioSid: string };

/**
 * Whether a number can be released at Twilio now. Moves what came to be queued on it since the release began: messages
 * that were being sent then, and were given back.
 */
export async function prepareRelease(trx: Trx, ref: ReleaseRef, now: Date): Promise<Readiness> {
  const release = await lockRelease(trx, ref);
  if (!release) return { kind: 'unknown' };
  const { state, number } = release;
  if (state !== 'waiting') return { kind: 'ended', state };
  if (number.released_at !== null) {
    await endRelease(trx, ref, { state: 'released', at: now });
    return { kind: 'ended', state: 'released' };
  }
  // Another run may have failed with this number, and given it back.
  await stopSending(trx, [number.id], now);
  const lines = [number.phone_number];
  const moved = await moveWaiting(trx, ref.organizationId, lines);
  const massSms = await reroute(trx, ref.organizationId, { lines, now });
  // In this order: what is given back in between counts as still there.
  const isSending =
    (await isLeaving(trx, ref.organizationId, lines)) || (await mayStillSend(trx, ref.organizationId, { lines, now }));
  await tellOfMessages(trx, ref.organizationId, moved, now);
  if (massSms.length > 0) return { kind: 'in_use', massSms };
  return isSending ? { kind: 'sending' } : { kind: 'ready', twilioSid: number.twilio_sid };
}

const endRelease = (
  trx: Trx,
  { jobId, numberId }: ReleaseRef,
  { state, detail = null, at }: { state: 'released' | 'failed'; detail?: string | null; at: Date },
) =>
  trx
    .updateTable('number_releases')
    .set({ state, detail, ended_at: at })
    .where('job_id', '=', jobId)
    .where('number_id', '=', numberId)
    .execute();

/**
 * Writes that Twilio has the number no more, and ends what could only leave from it.
 *
 * @returns the release it ended, with the messages that moved or were cancelled; null when it had ended before
 */
export async function recordReleased(
  trx: Trx,
  ref: ReleaseRef,
  at: Date,
): Promise<(Release & { changed: ChangedMessages }) | null> {
  const release = await lockRelease(trx, ref);
  if (release?.state !== 'waiting') return null;
  await endRelease(trx, ref, { state: 'released', at });
  // Two runs may have released it at once: it happened once.
  if (release.number.released_at !== null) return null;
  await assignUsers(trx, ref.organizationId, ref.numberId, []);
  await trx
    .updateTable('phone_numbers')
    .set({ released_at: at, registered: false, register_at: null })
    .where('id', '=', ref.numberId)
    .execute();
  const lines = [release.number.phone_number];
  return { ...release, changed: await giveUpWaiting(trx, ref.organizationId, { lines, now: at }) };
}

/**
 * Writes that the number was not released, and why: it sends again, unless another run is about to release it.
 *
 * @returns the release it ended, or null when it had ended before
 */
export async function recordNotReleased(
  trx: Trx,
  ref: ReleaseRef,
  { detail, at }: { detail: string; at: Date },
): Promise<Release | null> {
  const release = await lockRelease(trx, ref);
  if (release?.state !== 'waiting') return null;
  if (release.number.released_at !== null) {
    await endRelease(trx, ref, { state: 'released', at });
    return null;
  }
  await endRelease(trx, ref, { state: 'failed', detail, at });
  await trx
    .updateTable('phone_numbers')
    .set({ releasing_since: null })
    .where('id', '=', ref.numberId)
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('number_releases')
            .select('job_id')
            .where('number_id', '=', ref.numberId)
            .where('state', '=', 'waiting'),
        ),
      ),
    )
    .execute();
  return release;
}

export interface ReleaseResult {
  numberId: string;
  phoneNumber: string;
  state: Release['state'];
  detail: string | null;
}

/** What became of a run's numbers, in order of id. */
export async function releaseResults(trx: Trx, jobId: string): Promise<ReleaseResult[]> {
  return trx
    .selectFrom('number_releases')
    .innerJoin('phone_numbers', 'phone_numbers.id', 'number_releases.number_id')
    .select([
      'number_releases.number_id as numberId',
      'phone_numbers.phone_number as phoneNumber',
      'number_releases.state',
      'number_releases.detail',
    ])
    .where('number_releases.job_id', '=', jobId)
    .orderBy('number_releases.number_id')
    .execute();
}

/** Of these ids, those of numbers of the organization, released ones too. */
export async function knownNumbers(trx: Trx, organizationId: string, ids: readonly string[]): Promise<string[]> {
  const rows = await trx
    .selectFrom('phone_numbers')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('id', 'in', ids)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}
