/** A STOP in the middle of a batch of a mass SMS: what is claimed already does not leave either. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import { talliesOf } from '../../../db/mass-sms/mass-sms.ts';
import { defaultSettings } from '../../../domain/settings.ts';
import { eventually } from '../../harness/eventually.ts';
import { accepted, type BatchesFixture, openBatchesFixture } from './fixture.ts';

let fixture: BatchesFixture;
beforeAll(async () => {
  fixture = await openBatchesFixture();
  // Noon in Chicago, whatever the hour: no window is about to close.
  const noon = fixture.clock.now();
  noon.setUTCHours(42, 0, 0, 0);
  fixture.clock.set(noon);
});
afterAll(async () => {
  await fixture?.close();
});

const allDay = { sendWindow: { ...defaultSettings.sendWindow, startTime: '00:00', endTime: '00:00' } };

it('is counted as at the claim: cancelled, neither sent nor given back', async () => {
  const acme = await fixture.sender(allDay);
  const massSms = await fixture.massSmsTo(
    acme,
    Array.from({ length: 20 }, () => ({})),
  );
  const answered = Promise.withResolvers<void>();
  fixture.twilio.answer = async () => {
    await answered.promise;
    return accepted();
  };
  const running = fixture.run(massSms);
  await eventually(async () => expect(fixture.twilio.sent).toHaveLength(5), { everyMs: 5 });
  const [from] = massSms.to.slice(-1) as [string];
  expect((await fixture.messages(massSms)).at(-1)).toMatchObject({ status: 'sending', contact_number: from });
  await fixture.in(acme, (trx) =>
    recordInbound(trx, {
      organizationId: acme.id,
      sid: `SM${crypto.randomUUID()}`,
      from,
      to: acme.line,
      body: 'STOP',
      mediaUrls: [],
      keyword: 'stop',
      at: fixture.clock.now(),
    }),
  );
  // Longer than a look at opt-outs is good for.
  await sleep(300);
  answered.resolve();
  expect((await running).status).toBe('completed');
  expect(fixture.twilio.sent.map(({ to }) => to).toSorted()).toEqual(massSms.to.slice(0, -1).toSorted());
  expect((await fixture.messages(massSms)).at(-1)).toMatchObject({
    status: 'cancelled',
    cancel_reason: 'opted_out',
    attempts: 1,
  });
  const tallies = await fixture.in(acme, (trx) => talliesOf(trx, [massSms.id]));
  expect(tallies.get(massSms.id)!.get(1)).toMatchObject({ accepted: 19, cancelled: 1, sending: 0 });
});
