/** How long it takes from a contact's message at our door until a browser that has a stream open knows of it (D3). */
import { randomBytes } from 'node:crypto';
import twilio from 'twilio';
import { openEventStream } from '../tests/api/conversations/event-stream.ts';
import { apiClient } from '../tests/harness/api-client.ts';
import { spreadOf } from './measure.ts';
import type { BenchOrganization } from './organization.ts';
import type { Measuring } from './plan.ts';
import { result } from './results.ts';
import type { BenchStack } from './stack.ts';

/** Streams open at once: what happens is handed to all of them, and the last one is timed. */
const streamsOpen = 50;

/** Posts a message as Twilio does. @throws when it is not taken */
async function receive({ stack }: BenchStack, { twilio: sender }: BenchOrganization, from: string): Promise<void> {
  const path = '/twilio/inbound';
  const form = {
    AccountSid: sender.accountSid,
    MessageSid: `SM${randomBytes(16).toString('hex')}`,
    From: from,
    To: sender.from,
    Body: 'Is the job still open?',
  };
  const url = stack.environment['PUBLIC_URL']! + path;
  const signature = twilio.getExpectedTwilioSignature(sender.authToken, url, form);
  const { status } = await fetch(stack.api + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature },
    body: new URLSearchParams(form).toString(),
  });
  if (status !== 200) throw new Error(`the webhook answered ${status}`);
}

/** From before the webhook's request until the event has been read by all streams, one message at a time. */
export async function liveDelivery(bench: BenchStack, organization: BenchOrganization, measuring: Measuring) {
  const { stack } = bench;
  const operator = apiClient(stack.api, stack.operatorKey);
  const { body } = await operator.post(`/v1/organizations/${organization.id}/keys`, { kind: 'organization' });
  const streams = await Promise.all(
    Array.from({ length: streamsOpen }, () => openEventStream(stack.api, String(body.key))),
  );
  const count = measuring.sizes.liveMessages;
  const times: number[] = [];
  // The first ones warm up the API's connections and plans.
  for (let message = -10; message < count; message += 1) {
    const known = streams.map(({ events }) => events.length);
    const before = performance.now();
    await receive(bench, organization, `+1617${2_000_000 + ((message + 10) % 100)}`);
    await Promise.all(streams.map((stream, index) => stream.until(known[index]! + 1)));
    if (message >= 0) times.push(performance.now() - before);
    // The notification's event, and whatever else belongs to the message, must not count for the next one.
    await Promise.all(streams.map((stream, index) => stream.until(known[index]! + 2)));
  }
  for (const stream of streams) stream.close();
  const latency = spreadOf(times);
  measuring.report(`a message until ${streamsOpen} open streams know of it: ${latency.median.toFixed(1)} ms`);
  return [
    result(
      {
        measurement: `a message until ${streamsOpen} open streams know of it`,
        unit: 'ms',
        ours: latency,
        aim: { most: 250 },
      },
      { judge: measuring.judge },
    ),
  ];
}
