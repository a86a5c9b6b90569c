/** Asking Twilio what became of messages whose reports stay away: the activity of `statusReconciliation`. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import pLimit from 'p-limit';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { sendingOrganization } from '../db/mass-sms/mass-sms.ts';
import {
  type AwaitedReports,
  awaitLonger,
  finishUnreported,
  nextAwaited,
  nextLookDue,
  type OpenMessage,
  openMessages,
  postponeLooks,
} from '../db/messages/reconciliation.ts';
import type { SecretBox } from '../db/secrets.ts';
import { type StatusReport, takeReports } from '../db/messages/status-reports.ts';
import { hopeless, nextLookAt } from '../domain/messages/awaited-reports.ts';
import { statusRank } from '../domain/messages/status.ts';
import type { TwilioGateway } from '../twilio/gateway.ts';
import { fetchMessageState, type MessageState } from '../twilio/messages.ts';

export type ReconciliationActivities = ReturnType<typeof createReconciliationActivities>;

export interface ReconciliationDeps {
  database: Database;
  clock: Clock;
  /** With sockets of its own: sending must never wait for one. */
  twilio: TwilioGateway;
  secrets: SecretBox;
  /** Aborts when the worker begins to shut down. */
  draining: AbortSignal;
}

/** Requests under way at once, all organizations of a worker together: nobody waits for the answers. */
const looksAtOnce = 10;
/** Asked about before the answers are written: so much is asked again after a crash. */
const looksPerWrite = 100;
/** Then the workflow calls again: no run lasts for hours. */
const looksPerRun = 2_000;
/** Looks that fall due one after another are taken together. */
const leastPauseMs = 60_000;
/** Twilio is busy or away. */
const busyMs = 60_000;
/** Twilio refuses to answer, or nobody can be asked: somebody has to mend it. */
const blockedMs = 3_600_000;

type Ask = (sid: string) => Promise<MessageState | null>;

/** Twilio cannot be asked about anything for a while. */
class CannotAsk extends Error {
  readonly pauseMs: number;

  constructor(pauseMs: number) {
    super('Twilio cannot be asked now.');
    this.pauseMs = pauseMs;
  }
}

export function createReconciliationActivities(deps: ReconciliationDeps) {
  const { database, clock } = deps;
  const looking = pLimit(looksAtOnce);

  /** How to ask in an organization's name. */
  const askerOf = async (organizationId: string): Promise<Ask> => {
    const { accountSid, authToken } = await database.inOrganization(organizationId, (trx) =>
      sendingOrganization(trx, organizationId),
    );
    if (!accountSid || !authToken) return () => Promise.reject(new CannotAsk(blockedMs));
    const client = deps.twilio.client({ accountSid, authToken: deps.secrets.decrypt(authToken) });
    return (sid) => fetchMessageState(client, sid).catch(noAnswer);
  };

  /** Asks about some messages and takes what is news as reports. @throws CannotAsk after taking what was answered */
  const askAbout = async (organizationId: string, ask: Ask, messages: readonly OpenMessage[]): Promise<void> => {
    const trouble: unknown[] = [];
    const look = async ({ id, sid, status: known }: OpenMessage): Promise<StatusReport[]> => {
      // Who is told to come back later does not ask for the rest.
      if (trouble.length > 0) return [];
      const state = await ask(sid!).catch((error: unknown) => void trouble.push(error));
      if (!state?.status || statusRank[state.status] <= statusRank[known]) return [];
      const { status, errorCode, segments } = state;
      return [{ messageId: id, sid: sid!, status, errorCode, segments, at: clock.now() }];
    };
    const reports = (await Promise.all(messages.map((message) => looking(() => look(message))))).flat();
    if (reports.length > 0) await takeReports(database, organizationId, reports, clock.now());
    if (trouble.length > 0) throw trouble[0];
  };

  /** After the look: what is still open is looked at later, or is left as it is. */
  const conclude = (organizationId: string, awaited: AwaitedReports): Promise<void> =>
    database.inOrganization(organizationId, async (trx) => {
      const now = clock.now();
      const open = await openMessages(trx, awaited.messageIds);
      const lookAt = nextLookAt(awaited.claimedAt, now);
      // What is in doubt has no SID to ask about: it is settled by whoever sent it, and only then awaited to its end.
      const [asked, doubted] = [open.filter(({ sid }) => sid !== null), open.filter(({ sid }) => sid === null)];
      if (!lookAt) await finishUnreported(trx, idsOf(asked), now);
      await awaitLonger(trx, awaited, {
        messageIds: idsOf(lookAt ? open : hopeless(awaited.claimedAt, now) ? [] : doubted),
        lookAt: lookAt ?? new Date(now.getTime() + blockedMs),
      });
    });

  /** @returns whether more is due than one run may ask about */
  const lookAtDue = async (organizationId: string, ask: Ask, stop: AbortSignal): Promise<boolean> => {
    let looks = 0;
    while (looks < looksPerRun) {
      stop.throwIfAborted();
      const { awaited, open } = await database.inOrganization(organizationId, async (trx) => {
        const awaited = await nextAwaited(trx, organizationId, clock.now());
        return { awaited, open: awaited ? await openMessages(trx, awaited.messageIds) : [] };
      });
      if (!awaited) return false;
      const asked = open.filter(({ sid }) => sid !== null);
      if (asked.length > 0 && !hopeless(awaited.claimedAt, clock.now())) {
        for (let from = 0; from < asked.length; from += looksPerWrite) {
          stop.throwIfAborted();
          await askAbout(organizationId, ask, asked.slice(from, from + looksPerWrite));
        }
      }
      await conclude(organizationId, awaited);
      looks += Math.max(1, asked.length);
    }
    return true;
  };

  const putOff = (organizationId: string, pauseMs: number): Promise<void> => {
    const now = clock.now();
    const until = new Date(now.getTime() + pauseMs);
    return database.inOrganization(organizationId, (trx) => postponeLooks(trx, organizationId, { now, until }));
  };

  return {
    /**
     * Asks Twilio about every message of an organization that is due to be asked about.
     *
     * @returns RFC 3339, when to call again; null when no report is awaited any more
     */
    async lookAtUnreported({ organizationId }: { organizationId: string }): Promise<{ nextAt: string | null }> {
      const { cancellationSignal } = Context.current();
      await clock.sync();
      const stop = AbortSignal.any([cancellationSignal, deps.draining]);
      let isCut = false;
      try {
        isCut = await lookAtDue(organizationId, await askerOf(organizationId), stop);
      } catch (error) {
        cancellationSignal.throwIfAborted();
        if (deps.draining.aborted) throw ApplicationFailure.retryable('The worker is shutting down.', 'Draining');
        if (!(error instanceof CannotAsk)) throw error;
        await putOff(organizationId, error.pauseMs);
      }
      const nextAt = await database.inOrganization(organizationId, (trx) => nextLookDue(trx, organizationId));
      const earliest = new Date(clock.now().getTime() + (isCut ? 0 : leastPauseMs));
      return { nextAt: nextAt && (nextAt < earliest ? earliest : nextAt).toISOString() };
    },
  };
}

/** What an error of Twilio says: nothing about this message, or that nothing can be asked now. */
function noAnswer(error: unknown): null {
  const { status } = error as { status?: unknown };
  if (status === 401 || status === 403) throw new CannotAsk(blockedMs);
  if (typeof status !== 'number' || status === 429 || status >= 500) throw new CannotAsk(busyMs);
  return null;
}

const idsOf = (messages: readonly OpenMessage[]): string[] => messages.map(({ id }) => id);
