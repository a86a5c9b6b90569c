/** The demo's second story: a mass SMS in five daily batches, in five days of the demo's clock and seconds of ours. */
import { waitFor } from './support/waiting.ts';
import { apiOf, controlOf } from './support/caller.ts';
import type { Report } from './support/progress.ts';
import type { DemoSeed } from './seed.ts';
import type { Stack } from './stack.ts';

interface MassSms {
  id: string;
  name: string;
  status: string;
  recipients: number;
  sent: number;
  batches: { number: number; size: number; startAt: string; status: string; sent: number }[];
}

/** A first batch that is smaller, and four more of a day each. */
const sizes = { firstBatchSize: 100, dailyBatchSize: 200 };
const recipients = sizes.firstBatchSize + 4 * sizes.dailyBatchSize;

/** Sends it from the demo organization on a time-skipping stack, moving the clock from batch to batch; prints each. */
export async function tellMassSms(stack: Stack, seed: DemoSeed, report: Report): Promise<void> {
  const began = performance.now();
  const api = apiOf(stack, seed.organizationKey);
  const control = controlOf(stack.simulator!);
  const { firstBatchSize, dailyBatchSize } = await api<typeof sizes>('GET', '/settings');
  await api('PATCH', '/settings', sizes);
  const { id, name, batches } = await api<MassSms>('POST', '/mass-sms', {
    list: seed.list,
    body: seed.body,
    limitToTop: recipients,
    immediate: true,
    // So that it is five days whatever day it is.
    allowWeekends: true,
  });
  // Its batches are planned: whoever tries the demo finds the usual sizes.
  await api('PATCH', '/settings', { firstBatchSize, dailyBatchSize });

  report(`\n"${name}" goes to ${recipients} contacts in ${batches.length} daily batches:\n`);
  const read = () => api<MassSms>('GET', `/mass-sms/${id}`);
  for (const { number, startAt } of batches) {
    const { epochMs } = await control<{ epochMs: number }>('GET', '/clock');
    const seconds = Math.ceil((Date.parse(startAt) - epochMs) / 1000);
    if (seconds > 0) await control('POST', '/clock', { advance: `PT${seconds}S` });
    const { sent, batch } = await waitFor(
      async () => {
        const now = await read();
        const own = now.batches.find((one) => one.number === number);
        return own?.status === 'sent' && { sent: now.sent, batch: own };
      },
      { what: `batch ${number} of the demo's mass SMS to be sent (see the logs of the data folder)`, within: 60_000 },
    );
    const at = batch.startAt.slice(0, 16).replace('T', ' ');
    report(`  day ${number}, ${at} UTC  ${String(batch.sent).padStart(4)} sent, ${sent} of ${recipients} so far`);
  }
  const { status } = await waitFor(
    async () => {
      const now = await read();
      return now.status === 'completed' && now;
    },
    { what: "the demo's mass SMS to be completed", within: 60_000 },
  );
  report(
    `\n  ${status} after ${((performance.now() - began) / 1000).toFixed(1)} s; what Twilio was given: curl -s '${stack.simulator}/control/messages?limit=3'`,
  );
}
