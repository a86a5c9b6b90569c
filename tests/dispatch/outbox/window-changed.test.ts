/** What waits for a window that is changed meanwhile: judged anew, in its order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide, judgeAnew } from '../../../db/messages/outbox.ts';
import { openOutboxFixture, type OutboxFixture } from './fixture.ts';

let outbox: OutboxFixture;
beforeAll(async () => {
  outbox = await openOutboxFixture();
  // In the morning, whatever the hour: windows of these tests then begin and end on one day, and none is about to close.
  const morning = outbox.clock.now();
  morning.setUTCHours(34, 20, 0, 0);
  outbox.clock.advance(morning.getTime() - outbox.clock.now().getTime());
});
afterAll(async () => {
  await outbox?.close();
});

const hourMs = 3_600_000;
const sentIds = () => outbox.twilio.sent.map(({ id }) => id);

/** A window that is open for the hour that begins `hours` from now, in UTC. */
function windowIn(hours: number) {
  const at = new Date(outbox.clock.now().getTime() + hours * hourMs);
  const clock = (hour: number) => `${String((at.getUTCHours() + hour) % 24).padStart(2, '0')}:00`;
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
  return { sendWindow: { startTime: clock(0), endTime: clock(1), timeZone: 'UTC', days } };
}

describe('after the window was changed', () => {
  it('what waited for it goes out in the order in which it was written', async () => {
    const acme = await outbox.sender(windowIn(3));
    const contact = await outbox.contact(acme);
    const ids = [
      await outbox.write(acme, contact),
      await outbox.write(acme, contact),
      await outbox.write(acme, contact),
    ];
    await outbox.database.system
      .updateTable('organizations')
      .set({ settings: JSON.stringify(windowIn(0)) })
      .where('id', '=', acme.id)
      .execute();
    expect(await outbox.in(acme, (trx) => judgeAnew(trx, acme.id, outbox.clock.now()))).toBe(true);
    await outbox.run(acme);
    expect(sentIds()).toEqual(ids);
  });

  it('a window that opens while it is judged anew keeps that order', async () => {
    const acme = await outbox.sender(windowIn(3));
    const contact = await outbox.contact(acme);
    const ids = [await outbox.write(acme, contact), await outbox.write(acme, contact)];
    const now = outbox.clock.now();
    const due = {
      at: new Date(now.getTime() + hourMs),
      reason: 'outside_window',
      detail: 'x',
      closesAt: null,
    } as const;
    await outbox.in(acme, async (trx) => {
      await judgeAnew(trx, acme.id, now);
      const later = [{ id: ids[0]!, due }];
      await decide(trx, { sending: [], cancelled: [], gone: [], later }, { attemptId: 'a', now });
    });
    expect(await outbox.entries(acme)).toMatchObject(ids.map((message_id) => ({ message_id, due_at: due.at })));
  });
});
