/** Sending what falls due one by one: the long activity of the `outbox` workflow, on the bulk queue. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Trx } from '../../db/database.ts';
import { sendingOrganization, type SendingOrganization } from '../../db/mass-sms/mass-sms.ts';
import { messageStates, tellOfMessages } from '../../db/messages/messages.ts';
import { beginAnswerTime } from '../../db/consent/opt-ins.ts';
import { decide, explainDelay, lockDue, nextDueAt, putOff, tidy, unsettledInOutbox } from '../../db/messages/outbox.ts';
import { type Claimed, type ClaimResult, optedOut, writeResults } from '../../db/messages/outgoing.ts';
import { learnFromRefusals } from '../../db/messages/refusals.ts';
import { concernsLine } from '../../domain/error-codes.ts';
import { tMobileSegmentsPerDay } from '../../domain/registration/throughput.ts';
import type { SendOutcome, TwilioAccount } from '../../twilio/gateway.ts';
import { missingFor, validityPeriod } from '../mass-sms/rules.ts';
import type { BatchDeps } from '../mass-sms/batches.ts';
import { dispatch, type DispatchPort, type DispatchReport } from '../dispatch/dispatch.ts';
import { permitPurse } from '../dispatch/permits.ts';
import { settleDoubts } from '../dispatch/settle.ts';
import { createSlots } from '../dispatch/slots.ts';
import { judge } from './verdicts.ts';

export type OutboxActivities = ReturnType<typeof createOutboxActivities>;

const heartbeatMs = 500;
/** Twilio refuses everything, or the organization cannot send: somebody has to mend it, and may do so at any time. */
const blockedMs = 60_000;
/** Something is due and could not be had: somebody else holds it for a moment. */
const heldByOthersMs = 1_000;
/** After so long it settles what is in doubt and reads the organization anew, then goes on. */
const passMs = 30_000;
/** Then it reports back and is called again: whoever wakes it meanwhile adds to the history of the one that runs. */
const lookMs = 60_000;
/** While Twilio takes nothing: the pause between two passes, doubled each time. */
const pauses = { leastMs: 1_000, mostMs: 30_000 };
/** The longest Twilio may try to deliver what nothing limits. */
const longestValidityS = 4 * 3_600;

/** One pass over what is due. */
interface Pass {
  organizationId: string;
  /** Nobody else's, not even a later attempt's: what it gives back must be its own. */
  attemptId: string;
  organization: SendingOrganization;
  account: TwilioAccount;
  messagingServiceSid: string;
  /** Until when each message that was claimed must have been delivered. */
  closing: Map<string, Date | null>;
  /** Whether anything was due. */
  hasSeen: boolean;
  /** Whether what was claimed last goes ahead of bulk. */
  hasReplies: boolean;
}

/** @param deps `concurrency` bounds the requests under way of all outboxes of this worker, apart from its batches */
export function createOutboxActivities(deps: BatchDeps) {
  const { database, clock } = deps;
  const slots = createSlots(deps.concurrency);

  const claim = (pass: Pass, limit: number): Promise<ClaimResult> =>
    database.inOrganization(pass.organizationId, async (trx) => {
      const { organizationId, attemptId } = pass;
      const now = clock.now();
      // Read with every claim: a pass is long enough for somebody to narrow the window, or to switch the module off.
      const organization = await sendingOrganization(trx, organizationId);
      if (missingFor(organization)) return { claimed: [], lastRank: null };
      const replies = await lockDue(trx, organizationId, { priority: 0, limit, now });
      const left = limit - replies.length;
      const others = left > 0 ? await lockDue(trx, organizationId, { priority: 1, limit: left, now }) : [];
      const candidates = [...replies, ...others];
      if (candidates.length === 0) return { claimed: [], lastRank: null };
      pass.hasSeen = true;
      pass.hasReplies = replies.length > 0;
      const verdicts = judge(candidates, organization.settings, now);
      await decide(trx, verdicts, { attemptId, now });
      const messageIds = verdicts.sending.filter(({ isRequest }) => isRequest).map(({ id }) => id);
      await beginAnswerTime(trx, organizationId, { messageIds, now });
      const cancelled = await messageStates(
        trx,
        verdicts.cancelled.map(({ id }) => id),
      );
      await tellOfMessages(trx, organizationId, cancelled, now);
      for (const { id, closesAt } of verdicts.sending) pass.closing.set(id, closesAt);
      const claimed = verdicts.sending.map(({ id, to, from, body }): Claimed => ({ id, rank: 0, to, from, body }));
      return { claimed, lastRank: 0 };
    });

  const send = async (pass: Pass, { id, to, from, body }: Claimed): Promise<SendOutcome> => {
    const closesAt = pass.closing.get(id) ?? null;
    pass.closing.delete(id);
    const outcome = await pass.account.send({
      to,
      from,
      body,
      messagingServiceSid: pass.messagingServiceSid,
      // Twilio repeats a report that failed, also after a 5xx: by default it would not.
      statusCallback: `${deps.publicUrl}/twilio/messages/${id}/status#rc=3&rp=ct,rt,5xx`,
      validityPeriod: closesAt === null ? longestValidityS : validityPeriod(closesAt, clock.now()),
    });
    // A line that Twilio does not let us use must not hold up the organization's other lines.
    return outcome.kind === 'blocked' && concernsLine(outcome.code) ? { ...outcome, kind: 'refused' } : outcome;
  };

  const portOf = (pass: Pass): DispatchPort => ({
    claim: (_afterRank, limit) => claim(pass, limit),
    optedOut: (messages) => database.inOrganization(pass.organizationId, (trx) => optedOut(trx, messages)),
    send: (message) => send(pass, message),
    write: (results) =>
      database.inOrganization(pass.organizationId, async (trx) => {
        const { organizationId, attemptId } = pass;
        const now = clock.now();
        const refused = await writeResults(trx, { attemptId, results, now });
        await learnFromRefusals(trx, organizationId, refused, now);
        await tidy(trx, organizationId);
        // What a report has overtaken was told with the report.
        const written = new Map(results.map(({ id, status }) => [id, status]));
        const states = (await messageStates(trx, [...written.keys()])).filter(({ id, status }) => {
          return status === written.get(id) && status !== 'queued';
        });
        await tellOfMessages(trx, organizationId, states, now);
      }),
  });

  /** What a pass works with; null when the organization cannot send. */
  const begin = async (organizationId: string): Promise<Pass | null> => {
    const organization = await database.inOrganization(organizationId, (trx) =>
      sendingOrganization(trx, organizationId),
    );
    if (missingFor(organization)) return null;
    const { accountSid, authToken, messagingServiceSid } = organization;
    return {
      organizationId,
      attemptId: randomUUID(),
      organization,
      account: deps.twilio.account({ accountSid: accountSid!, authToken: deps.secrets.decrypt(authToken!) }),
      messagingServiceSid: messagingServiceSid!,
      closing: new Map(),
      hasSeen: false,
      hasReplies: false,
    };
  };

  const sendDue = (pass: Pass, signal: AbortSignal): Promise<DispatchReport> => {
    const rate = pass.organization.segmentsPerSecond;
    return dispatch(portOf(pass), {
      concurrency: deps.concurrency,
      slots,
      rate,
      permits: permitPurse(database, clock, pass.organizationId, rate, { ahead: () => pass.hasReplies }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(passMs)]),
    });
  };

  /** When there is something to do again, as far as it can be told from what waits. */
  const next = async (organizationId: string, leastMs: number): Promise<Date | null> => {
    const now = clock.now();
    const dueAt = await database.inOrganization(organizationId, (trx) => nextDueAt(trx, organizationId, now));
    return dueAt && new Date(Math.max(dueAt.getTime(), now.getTime() + leastMs));
  };

  /** Nothing can leave until somebody mends it: what is due says why. @returns when to look again */
  const blocked = async (organizationId: string, why: string): Promise<Date | null> => {
    // Twilio's words stay out of the log: the API shows them with the messages.
    Context.current().log.warn('an outbox cannot send', { organizationId });
    await database.inOrganization(organizationId, (trx) =>
      explainDelay(trx, organizationId, { why, now: clock.now() }),
    );
    return next(organizationId, blockedMs);
  };

  /** T-Mobile takes no more of the brand today. Replies go on; the rest says why it waits. */
  const holdUntilNextDay = ({ organizationId, organization }: Pass, fullUntil: Date): Promise<void> => {
    const limit = tMobileSegmentsPerDay(organization.segmentsPerSecond)!.toLocaleString('en');
    const why = `T-Mobile takes ${limit} segments a day of this brand, and about so many have left today: it goes on after midnight Pacific time.`;
    return database.inOrganization(organizationId, (trx) =>
      putOff(trx, organizationId, { until: fullUntil, why, now: clock.now() }),
    );
  };

  /** Settles what is in doubt, and tells of it. @returns when to look for the rest again */
  const settle = async ({ organizationId, account }: Pass, signal: AbortSignal): Promise<Date | null> => {
    let doubted: string[] = [];
    const list = async (trx: Trx) => {
      const messages = await unsettledInOutbox(trx, organizationId);
      doubted = messages.map(({ id }) => id);
      return messages;
    };
    const { lookAgainAt } = await settleDoubts({ ...deps, account }, organizationId, list, signal);
    await database.inOrganization(organizationId, async (trx) => {
      await tidy(trx, organizationId);
      const states = await messageStates(trx, doubted);
      const settled = states.filter(({ status }) => status !== 'sending' && status !== 'in_doubt');
      await tellOfMessages(trx, organizationId, settled, clock.now());
    });
    return lookAgainAt;
  };

  /** Passes over what is due until nothing is, for a minute or so. @returns when to look again; null when nothing waits */
  const work = async (organizationId: string, signal: AbortSignal): Promise<Date | null> => {
    const until = performance.now() + lookMs;
    for (let pauseMs = 0; ;) {
      const pass = await begin(organizationId);
      if (!pass) return blocked(organizationId, 'The organization cannot send: GET /v1/module says what is missing.');
      const lookAgainAt = await settle(pass, signal);
      const report = await sendDue(pass, signal);
      if (report.blocked) {
        const { code, detail } = report.blocked;
        const why = `Twilio refuses every message (${code}: ${detail}). It is tried again every minute.`;
        return earliest(await blocked(organizationId, why), lookAgainAt);
      }
      if (report.fullUntil) await holdUntilNextDay(pass, report.fullUntil);
      if (!pass.hasSeen || signal.aborted) return earliest(await next(organizationId, heldByOthersMs), lookAgainAt);
      if (performance.now() > until) return clock.now();
      const hasFailed = report.throttled && report.sent === 0;
      pauseMs = hasFailed ? Math.min(pauses.mostMs, Math.max(pauses.leastMs, pauseMs * 2)) : 0;
      if (hasFailed) await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  };

  return {
    /**
     * Sends everything of an organization that is due, settling first what an earlier attempt left in doubt.
     *
     * @returns RFC 3339, when the next message falls due; null when none waits
     */
    async dispatchDue({ organizationId }: { organizationId: string }): Promise<{ nextAt: string | null }> {
      const context = Context.current();
      const beating = setInterval(() => context.heartbeat(), heartbeatMs);
      const stop = AbortSignal.any([context.cancellationSignal, deps.draining]);
      try {
        await clock.sync();
        const nextAt = await work(organizationId, stop);
        context.cancellationSignal.throwIfAborted();
        if (deps.draining.aborted) throw ApplicationFailure.retryable('The worker is shutting down.', 'Draining');
        return { nextAt: nextAt?.toISOString() ?? null };
      } finally {
        clearInterval(beating);
      }
    },
  };
}

const earliest = (a: Date | null, b: Date | null): Date | null => (a && b ? (a < b ? a : b) : (a ?? b));
