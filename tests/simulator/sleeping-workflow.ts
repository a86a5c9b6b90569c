/** A workflow for clock.test.ts: it sleeps, has a message sent, and sleeps again. */
import { proxyActivities, sleep } from '@temporalio/workflow';

const { sendMessage } = proxyActivities<{ sendMessage(): Promise<void> }>({ startToCloseTimeout: '10 seconds' });

export async function sleepSendSleep(): Promise<void> {
  await sleep('2 days');
  await sendMessage();
  await sleep('1 day');
}
