/** The commands of a mass SMS: each one transaction, harmless to repeat. */
import { ApplicationFailure } from '@temporalio/common';
import type { Clock } from '../../clock.ts';
import { insertAuditEntry } from '../../db/organizations/audit.ts';
import type { Database, Trx } from '../../db/database.ts';
import {
  batchesOf,
  cancelRest,
  findMassSms,
  type SendingOrganization,
  sendingOrganization,
} from '../../db/mass-sms/mass-sms.ts';
import { replan } from '../../db/mass-sms/plan.ts';
import { setStatus } from '../../db/mass-sms/status.ts';
import { estimateEnd } from '../../db/mass-sms/end.ts';
import type { MassSmsRow } from '../../db/schema.ts';
import {
  type BatchRules,
  type FirstStart,
  firstStart,
  NeverOpensError,
  startForWeekends,
} from '../../domain/mass-sms/batches.ts';
import {
  acknowledgementRequired,
  allowedActions,
  isFinal,
  type MassSmsAction,
  type MassSmsCommand,
  type MassSmsState,
  type MassSmsStatus,
  needsAcknowledgement,
  noBatchToMove,
  type Refusal,
  transitionNotAllowed,
  windowNeverOpens,
} from '../../domain/mass-sms/mass-sms.ts';

export type MassSmsActivities = ReturnType<typeof createMassSmsActivities>;

export interface CommandInput extends MassSmsCommand {
  organizationId: string;
  massSmsId: string;
  action: MassSmsAction;
  /** Cancels from any state that is not final: ops ended the workflow. */
  force?: boolean;
}

/** Where a command leads when it was obeyed already and only its answer was lost. */
const reached: Readonly<Record<MassSmsAction, readonly MassSmsStatus[]>> = {
  pause: ['paused'],
  cancel: ['cancelled'],
  resume: ['scheduled', 'in_process'],
  reschedule: [],
};

export function createMassSmsActivities({ database, clock }: { database: Database; clock: Clock }) {
  return {
    /**
     * Obeys one command: writes the status and, where dates move, the plan of the open batches.
     *
     * @throws ApplicationFailure `TransitionNotAllowed` when the status has moved on, for instance to completed
     */
    async applyCommand(input: CommandInput): Promise<MassSmsState> {
      await clock.sync();
      const { organizationId, massSmsId, action } = input;
      return database.inOrganization(organizationId, async (trx) => {
        const row = await findMassSms(trx, massSmsId, { lock: true });
        if (!row) throw ApplicationFailure.nonRetryable(`There is no mass SMS ${massSmsId}.`, 'NotFound');
        const repeated = reached[action].includes(row.status);
        const allowed = input.force ? !isFinal(row.status) : allowedActions(row.status).includes(action);
        if (!repeated && !allowed) throw notAllowed(action, row.status);
        if (needsAcknowledgement(row.status, action) && !input.acknowledge) throw notAcknowledged(row.status);
        const organization = await sendingOrganization(trx, organizationId);
        const state = await obey(trx, { row, organization, command: input, now: clock.now() }).catch(neverOpens);
        if (!repeated) {
          const { actor, startAt, allowWeekends, acknowledge } = input;
          const detail = {
            ...(startAt && { startAt }),
            ...(allowWeekends !== undefined && { allowWeekends }),
            ...(acknowledge && { acknowledge }),
          };
          await insertAuditEntry(trx, {
            organizationId,
            actor,
            action: `mass_sms.${action}`,
            subject: massSmsId,
            detail,
            at: clock.now(),
          });
        }
        return state;
      });
    },
  };
}

interface Obeying {
  row: MassSmsRow;
  organization: SendingOrganization;
  command: CommandInput;
  now: Date;
}

async function obey(trx: Trx, { row, organization, command, now }: Obeying): Promise<MassSmsState> {
  switch (command.action) {
    case 'pause':
      await setStatus(trx, row.id, 'paused', { now });
      return atRest('paused', now);
    case 'cancel':
      await cancelRest(trx, row, now);
      await setStatus(trx, row.id, 'cancelled', { now, endAt: now });
      return atRest('cancelled', now);
    case 'resume': {
      const { startAt, allowWeekends = row.allow_weekends } = command;
      const resumed = { ...row, allow_weekends: allowWeekends };
      // What was claimed before is reported for days: it must not stop the mass SMS once more.
      const since = { resumed_at: now, ...(row.status === 'suspended' && { drop_rate_since: now }) };
      await trx
        .updateTable('mass_sms')
        .set({ ...since, allow_weekends: allowWeekends })
        .where('id', '=', row.id)
        .execute();
      const wanted = startAt === undefined ? { startAt: now, immediate: true } : { startAt: new Date(startAt) };
      const plan = { first: (rules: BatchRules) => firstStart(rules, wanted), continuing: true };
      const runAt = (await replan(trx, resumed, organization, plan)) ?? now;
      await estimateEnd(trx, resumed, organization, now);
      const begun = (await batchesOf(trx, row.id)).some((batch) => batch.status !== 'scheduled');
      const status = begun ? 'in_process' : 'scheduled';
      await setStatus(trx, row.id, status, { now });
      return { version: 1, status, runAt: runAt.toISOString() };
    }
    case 'reschedule':
      return reschedule(trx, { row, organization, command, now });
  }
}

async function reschedule(trx: Trx, { row, organization, command, now }: Obeying): Promise<MassSmsState> {
  const { startAt, allowWeekends = row.allow_weekends } = command;
  const moved = { ...row, allow_weekends: allowWeekends };
  await trx
    .updateTable('mass_sms')
    .set({ allow_weekends: allowWeekends, updated_at: now })
    .where('id', '=', row.id)
    .execute();
  const batches = await batchesOf(trx, row.id);
  const { daily_at: dailyAt } = row;
  const previous = batches.findLast((batch) => batch.status !== 'scheduled')?.startAt ?? null;
  const first = (rules: BatchRules, next: Date): FirstStart => {
    if (startAt !== undefined) return firstStart(rules, { startAt: new Date(startAt) });
    if (allowWeekends === row.allow_weekends) return { startAt: next, dailyAt };
    return { startAt: startForWeekends(rules, { next, previous, dailyAt, now }), dailyAt };
  };
  const runAt = await replan(trx, moved, organization, { first, continuing: false });
  if (startAt !== undefined && runAt === null) throw nothingToMove(row.status);
  await estimateEnd(trx, moved, organization, now);
  const sending = batches.some((batch) => batch.status === 'sending');
  // A batch under way keeps going; asking it again at once is how the workflow learns what comes after it.
  return { version: 1, status: row.status, runAt: (sending ? now : (runAt ?? now)).toISOString() };
}

/** At rest there is still something to do at once: settling what is in doubt. */
const atRest = (status: MassSmsStatus, now: Date): MassSmsState => ({ version: 1, status, runAt: now.toISOString() });

function neverOpens(error: unknown): never {
  if (!(error instanceof NeverOpensError)) throw error;
  throw ApplicationFailure.nonRetryable(error.message, windowNeverOpens);
}

/** The batch under way is the last: taking the start as given would answer well and change nothing. */
function nothingToMove(status: MassSmsStatus): ApplicationFailure {
  const refusal: Refusal = { status, allowed: allowedActions(status) };
  return ApplicationFailure.create({
    message: 'Its last batch is being sent, and no other comes after it.',
    type: noBatchToMove,
    nonRetryable: true,
    details: [refusal],
  });
}

function notAllowed(action: MassSmsAction, status: MassSmsStatus): ApplicationFailure {
  const refusal: Refusal = { status, allowed: allowedActions(status) };
  return ApplicationFailure.create({
    message: `A mass SMS that is ${status} cannot ${action}.`,
    type: transitionNotAllowed,
    nonRetryable: true,
    details: [refusal],
  });
}

function notAcknowledged(status: MassSmsStatus): ApplicationFailure {
  const refusal: Refusal = { status, allowed: allowedActions(status) };
  return ApplicationFailure.create({
    message: 'Whoever resumes a mass SMS that is suspended must say that they have read why.',
    type: acknowledgementRequired,
    nonRetryable: true,
    details: [refusal],
  });
}
