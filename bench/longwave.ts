/** One mass SMS of ours, from the request to its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { massSmsWorkflowId } from '../workflows/ids.ts';
import { costsPerThousand, type Reading } from './measure.ts';
import type { BenchOrganization } from './organization.ts';
import type { BenchStack } from './stack.ts';

export interface Run {
  messages: number;
  /** From the first message the simulator accepted until the outcome of the last was durable. */
  seconds: number;
  /** Messages per second in that time. */
  rate: number;
  /** Per 1,000 messages, from before they were handed over (request, jobs added) to the end. */
  costs: Reading;
}

export interface LongwaveRun extends Run {
  massSmsId: string;
  /** From the request that creates the mass SMS, its recipients among it, to its completion. */
  secondsFromRequest: number;
  /** Temporal history events of its workflow. */
  historyEvents: number;
}

/** Longest a run may take before it counts as stuck. */
const patienceMs = 600_000;

/** When the simulator accepted its first message of this run, epoch milliseconds. */
export async function firstAccepted({ control }: BenchStack, { twilio }: BenchOrganization): Promise<number> {
  const { items } = await control.messages({ accountSid: twilio.accountSid, limit: 1 });
  return Date.parse(items[0]!.acceptedAt);
}

/** @throws when the simulator has not accepted exactly as many messages as were to be sent */
export async function requireAll({ control }: BenchStack, { twilio }: BenchOrganization, count: number) {
  const { total } = await control.messages({ accountSid: twilio.accountSid, limit: 0 });
  if (total !== count) throw new Error(`${count} messages were to be sent, and the simulator accepted ${total}`);
}

/** Sends to a whole list at once, as one batch, and waits until it is completed. */
export async function runLongwave(
  bench: BenchStack,
  organization: BenchOrganization,
  { list, count }: { list: string; count: number },
): Promise<LongwaveRun> {
  const before = await bench.meter.read(bench.workerPid());
  const requestedAt = Date.now();
  const { status, body } = await organization.client.post('/v1/mass-sms', {
    list,
    body: '{{organization.name}}: Hi {{contact.firstName}}, we are hiring nearby. Reply STOP to opt out.',
    immediate: true,
    allowWeekends: true,
  });
  if (status !== 201) throw new Error(`POST /v1/mass-sms answered ${status}: ${JSON.stringify(body)}`);
  const massSmsId = String(body.id);

  // Seen from outside, so the commit is included; the poll itself makes the time longer by up to 20 ms.
  let completedAt: number | undefined;
  while (completedAt === undefined) {
    await sleep(20);
    const row = await bench.database.system
      .selectFrom('mass_sms')
      .select('status')
      .where('id', '=', massSmsId)
      .executeTakeFirstOrThrow();
    if (row.status === 'completed') completedAt = Date.now();
    else if (row.status === 'error') throw new Error(`${massSmsId} ended in an error`);
    else if (Date.now() - requestedAt > patienceMs) throw new Error(`${massSmsId} is still ${row.status}`);
  }
  const costs = costsPerThousand(before, await bench.meter.read(bench.workerPid()), count);
  const seconds = (completedAt - (await firstAccepted(bench, organization))) / 1000;
  await requireAll(bench, organization, count);
  const { historyLength } = await ended(bench, massSmsId);
  return {
    massSmsId,
    messages: count,
    seconds,
    rate: count / seconds,
    secondsFromRequest: (completedAt - requestedAt) / 1000,
    costs,
    historyEvents: historyLength,
  };
}

/** The workflow's description once it has ended: a moment after the mass SMS has. */
async function ended({ temporal }: BenchStack, massSmsId: string) {
  const handle = temporal.workflow.getHandle(massSmsWorkflowId(massSmsId));
  await handle.result();
  return handle.describe();
}
