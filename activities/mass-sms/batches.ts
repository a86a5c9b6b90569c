/** Running a batch of a mass SMS: the long activity, on the bulk queue. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import {
  type Batch,
  batchesOf,
  batchRules,
  disclaimerOf,
  findMassSms,
  isOpen,
  rankRange,
  type SendingOrganization,
  sendingEnds,
  sendingOrganization,
} from '../../db/mass-sms/mass-sms.ts';
import { spaceOut } from '../../db/mass-sms/plan.ts';
import { beginBatch, endBatch, hasExpired, setStatus } from '../../db/mass-sms/status.ts';
import {
  cancelUnsent,
  countLeft,
  optedOut,
  type RankRange,
  refreshStatistics,
  unsettledMessages,
  writeResults,
} from '../../db/messages/outgoing.ts';
import { estimateEnd } from '../../db/mass-sms/end.ts';
import { placesLeft } from '../../db/mass-sms/recipients.ts';
import { leaveGoneLines } from '../../db/numbers/reroute.ts';
import { learnFromRefusals } from '../../db/messages/refusals.ts';
import type { MassSmsRow } from '../../db/schema.ts';
import { firstMoment, NeverOpensError } from '../../domain/mass-sms/batches.ts';
import { isRunning, type MassSmsState } from '../../domain/mass-sms/mass-sms.ts';
import type { TwilioAccount } from '../../twilio/gateway.ts';
import { batchClaims } from './claims.ts';
import { accountOf, type RestDeps, settleAtRest } from './rest.ts';
import {
  deliveryEnds,
  earliest,
  heldUntil,
  idle,
  isClosed,
  isExpired,
  missingFor,
  nextMoment,
  stopsAt,
  validityPeriod,
  waiting,
} from './rules.ts';
import { dispatch, type DispatchReport } from '../dispatch/dispatch.ts';
import { permitPurse } from '../dispatch/permits.ts';
import { settleDoubts } from '../dispatch/settle.ts';
import { createSlots } from '../dispatch/slots.ts';
import { whileFewAreDropped } from './suspension.ts';

export type BatchActivities = ReturnType<typeof createBatchActivities>;

export interface BatchDeps extends RestDeps {
  /** Where Twilio reaches the API. */
  publicUrl: string;
  /** Requests under way at once, all batches of this worker together. */
  concurrency: number;
  /** Aborts when the worker begins to shut down. */
  draining: AbortSignal;
}

const heartbeatMs = 500;

/** What a run of a batch works with; read anew at its start. */
interface Run {
  organizationId: string;
  row: MassSmsRow;
  batch: Batch;
  range: RankRange;
  organization: SendingOrganization;
  account: TwilioAccount;
  messagingServiceSid: string;
  disclaimer: string;
  /** When sending must have ended, or null while the window is closed. */
  ends: Date | null;
  /** Until when what is sent until then may be delivered. */
  deliverBy: Date | null;
  /** The window it began in has closed for good. */
  expired: boolean;
}

/** What came of sending. */
interface Sent extends Pick<DispatchReport, 'blocked' | 'fullUntil'> {
  /** When to look again for what is in doubt. */
  lookAgainAt: Date | null;
}

export function createBatchActivities(deps: BatchDeps) {
  const { database, clock } = deps;
  const slots = createSlots(deps.concurrency);

  /** Finds the batch to run and says it is being sent; or the state in which nothing is to be run. */
  const begin = (organizationId: string, massSmsId: string): Promise<Run | MassSmsState | { resting: MassSmsRow }> =>
    database.inOrganization(organizationId, async (trx) => {
      const row = await findMassSms(trx, massSmsId, { lock: true });
      if (!row) throw ApplicationFailure.nonRetryable(`There is no mass SMS ${massSmsId}.`, 'NotFound');
      if (!isRunning(row.status)) return { resting: row };
      const now = clock.now();
      const batches = await batchesOf(trx, massSmsId);
      const batch = batches.find(isOpen);
      if (!batch) {
        await setStatus(trx, massSmsId, 'completed', { now, endAt: now });
        return idle('completed');
      }
      if (batch.startAt > now) return waiting(row.status, batch.startAt);
      const organization = await sendingOrganization(trx, organizationId);
      const missing = missingFor(organization);
      if (missing) {
        await setStatus(trx, massSmsId, 'error', { now, cause: missing });
        return waiting('error', now);
      }
      const expired = batch.status === 'sending' && isExpired(row, batch, organization, now);
      const ends = expired ? null : sendingEnds(row, organization.settings, now);
      if (batch.status === 'scheduled') {
        // Its last moments count as closed: a batch must not begin only to be cut off.
        if (isClosed(ends, now)) {
          return waiting(row.status, firstMoment(batchRules(row, organization.settings), ends ?? now));
        }
        await beginBatch(trx, massSmsId, batch.number, now);
        await spaceOut(trx, row, organization, { number: batch.number, startedAt: now });
      }
      if (row.status === 'scheduled') await setStatus(trx, massSmsId, 'in_process', { now });
      return {
        organizationId,
        row,
        batch,
        range: rankRange(row, batches, batch.number),
        organization,
        account: accountOf(deps, organization)!,
        messagingServiceSid: organization.messagingServiceSid!,
        disclaimer: await disclaimerOf(trx, row, organization),
        ends,
        deliverBy: ends && deliveryEnds(row, organization.settings, ends),
        expired,
      };
    });

  /** One pass over what is queued, until `signal`. @returns also whether another one is due at once */
  const send = async (run: Run, deliverBy: Date, signal: AbortSignal, onProgress: (sent: number) => void) => {
    const { organizationId, row, range, organization, account, messagingServiceSid } = run;
    const attemptId = Context.current().info.activityId + '/' + Context.current().info.attempt;
    const rate = organization.segmentsPerSecond;
    await database.inOrganization(organizationId, (trx) =>
      leaveGoneLines(trx, organizationId, { range, now: clock.now() }),
    );
    const claims = batchClaims(deps, { ...run, attemptId, rules: batchRules(row, organization.settings) });
    const report = await dispatch(
      {
        claim: claims.claim,
        optedOut: (messages) => database.inOrganization(organizationId, (trx) => optedOut(trx, messages)),
        send: ({ id, to, from, body, closesAt }) =>
          account.send({
            to,
            from,
            body,
            messagingServiceSid,
            // Twilio repeats a report that failed, also after a 5xx: by default it would not.
            statusCallback: `${deps.publicUrl}/twilio/messages/${id}/status#rc=3&rp=ct,rt,5xx`,
            validityPeriod: validityPeriod(closesAt && closesAt < deliverBy ? closesAt : deliverBy, clock.now()),
          }),
        write: (results) =>
          database.inOrganization(organizationId, async (trx) => {
            const refused = await writeResults(trx, { attemptId, results, now: clock.now() });
            await learnFromRefusals(trx, organizationId, refused, clock.now());
          }),
      },
      {
        concurrency: deps.concurrency,
        slots,
        rate,
        permits: permitPurse(database, clock, organizationId, rate),
        signal,
        onProgress,
      },
    );
    // What was given back is due again; without any, the batch is through but for those who wait and what is in doubt.
    const { blocked, fullUntil } = report;
    return { blocked, fullUntil, isDueAgain: !fullUntil && (report.givenBack > 0 || claims.isToBeginAnew()) };
  };

  /** Judges what the run leaves behind: the batch's end, a wait, or an error. */
  const conclude = (run: Run, { blocked, fullUntil, lookAgainAt }: Sent): Promise<MassSmsState> =>
    database.inOrganization(run.organizationId, async (trx) => {
      const row = (await findMassSms(trx, run.row.id, { lock: true }))!;
      // A command came in between: what it left in doubt is settled by the next run, at rest.
      if (row.status !== 'in_process') return waiting(row.status, clock.now());
      const now = clock.now();
      if (blocked) {
        const cause = { code: String(blocked.code), detail: `Twilio refuses every message: ${blocked.detail}` };
        await setStatus(trx, row.id, 'error', { now, cause });
        return waiting('error', now);
      }
      // By today's settings: they may have changed while it ran.
      const organization = await sendingOrganization(trx, run.organizationId);
      const { settings } = organization;
      const ends = run.expired ? null : sendingEnds(row, settings, now);
      const expires = row.at_window_close === 'expire';
      if (expires && isClosed(ends, now)) await cancelUnsent(trx, run.range, { reason: 'expired', now });
      const left = await countLeft(trx, run.range);
      const moments: Date[] = [];
      if (left.unsettled > 0) moments.push(lookAgainAt ?? new Date(now.getTime() + 1_000));
      if (left.queued > 0) {
        const recipients = settings.sendWindowMode === 'recipient' ? await placesLeft(trx, run.range) : [];
        const rest = { row, settings, ends, now, recipients, fullUntil };
        moments.push(nextMoment(rest));
        await estimateEnd(trx, row, organization, now, heldUntil(rest));
      }
      if (moments.length > 0) return waiting('in_process', earliest(moments));
      // An earlier run may have cancelled the rest, and left something in doubt.
      const status = expires && (await hasExpired(trx, run.range)) ? 'expired' : 'sent';
      await endBatch(trx, row.id, { number: run.batch.number, status, at: now });
      const next = (await batchesOf(trx, row.id)).find(isOpen);
      if (next) return waiting('in_process', next.startAt);
      await setStatus(trx, row.id, 'completed', { now, endAt: now });
      return idle('completed');
    });

  /** Sends, and settles what is in doubt before and after. Returns early when `stop` aborts. */
  const sendAndSettle = async (run: Run, stop: AbortSignal, onProgress: (sent: number) => void) => {
    const settle = () =>
      settleDoubts(
        { ...deps, account: run.account },
        run.organizationId,
        (trx) => unsettledMessages(trx, run.range),
        stop,
      );
    const closing = new AbortController();
    const untilClosed = run.ends ? stopsAt(run.ends).getTime() - clock.now().getTime() : 0;
    const closes = setTimeout(() => closing.abort(), Math.max(0, untilClosed));
    const signal = AbortSignal.any([stop, closing.signal]);
    let blocked: DispatchReport['blocked'] = null;
    let fullUntil: Date | null = null;
    let sent = 0;
    try {
      await settle();
      while (run.deliverBy && !signal.aborted && !blocked) {
        const before = sent;
        const pass = await send(run, run.deliverBy, signal, (count) => {
          sent = before + count;
          onProgress(sent);
        });
        ({ blocked, fullUntil } = pass);
        if (!pass.isDueAgain) break;
      }
      const { lookAgainAt } = await settle();
      return { blocked, fullUntil, lookAgainAt };
    } finally {
      clearTimeout(closes);
    }
  };

  /** No moment is allowed for what is left: a person must change the window or allow weekends. */
  const stopForGood = (organizationId: string, massSmsId: string, error: NeverOpensError): Promise<MassSmsState> =>
    database.inOrganization(organizationId, async (trx) => {
      const row = (await findMassSms(trx, massSmsId, { lock: true }))!;
      const now = clock.now();
      // A command came in between: what it made of the status stays.
      if (!isRunning(row.status)) return waiting(row.status, now);
      const cause = { code: 'window_never_opens', detail: error.message };
      await setStatus(trx, massSmsId, 'error', { now, cause });
      return waiting('error', now);
    });

  return {
    /**
     * Sends what may be sent of the mass SMS's current batch, settling what an earlier attempt left in doubt.
     *
     * @returns the status found or made, and when to run again
     * @throws CancelledFailure once cancelled, after what was in flight is written and the rest given back
     */
    async runBatch({
      organizationId,
      massSmsId,
    }: {
      organizationId: string;
      massSmsId: string;
    }): Promise<MassSmsState> {
      const context = Context.current();
      const progress = { sent: 0 };
      const beating = setInterval(() => context.heartbeat(progress), heartbeatMs);
      const stop = AbortSignal.any([context.cancellationSignal, deps.draining]);
      try {
        await clock.sync();
        const run = await begin(organizationId, massSmsId);
        if ('version' in run) return run;
        if ('resting' in run) return await settleAtRest(deps, run.resting, stop);
        await refreshStatistics(database.system, run.row.created_at);
        const watched = { organizationId, massSmsId, batch: run.batch.number };
        const sent = await whileFewAreDropped(deps, watched, stop, (stopped) =>
          sendAndSettle(run, stopped, (sent) => {
            progress.sent = sent;
          }),
        );
        context.cancellationSignal.throwIfAborted();
        if (deps.draining.aborted) throw ApplicationFailure.retryable('The worker is shutting down.', 'Draining');
        return await conclude(run, sent);
      } catch (error) {
        if (error instanceof NeverOpensError) return await stopForGood(organizationId, massSmsId, error);
        throw error;
      } finally {
        clearInterval(beating);
      }
    },
  };
}
