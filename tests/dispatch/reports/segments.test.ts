/** How many segments a message has: Twilio's count where it has told, else ours, whatever crashes on the way. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { settleAfterMs, settleDoubts } from '../../../activities/dispatch/settle.ts';
import { recordInbound } from '../../../db/conversations/inbound.ts';
import { claimMessages, settleAsSent, unsettledMessages, writeResults } from '../../../db/messages/outgoing.ts';
import { applyStatusReports } from '../../../db/messages/status-reports.ts';
import type { TwilioAccount } from '../../../twilio/gateway.ts';
import { type Fixture, openFixture, type Organization, type TestMassSms } from '../fixture.ts';

let fixture: Fixture;
let acme: Organization;
let massSms: TestMassSms;
let id: string;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(async () => {
  await fixture?.close();
});

const now = new Date('2026-12-01T15:00:00.000Z');
/** Of two segments. */
const body = '🙂'.repeat(40);
const sid = 'SM1';

/** A message that was claimed, and whose result no worker has written. */
beforeEach(async () => {
  acme = await fixture.organization();
  massSms = await fixture.massSms(acme, 1);
  ({ id } = massSms.messages[0]!);
  await fixture.database.system.updateTable('messages').set({ body }).where('id', '=', id).execute();
  await fixture.in(acme, (trx) => claimMessages(trx, massSms.range, { attemptId: 'a/1', limit: 1, now }));
});

const write = () => {
  const results = [{ id, status: 'accepted' as const, sid, errorCode: null, segments: 2 }];
  return fixture.in(acme, (trx) => writeResults(trx, { attemptId: 'a/1', results, now }));
};
/** What is written at the message, and what usage says of the organization. */
async function segmentsOf(message: string) {
  const { rows } = await sql<{ own: number; usage: number }>`
    select m.segments as own, (select sum(segments)::int from usage_tallies u where u.organization_id = m.organization_id)
      as usage from messages m where id = ${message}`.execute(fixture.database.system);
  return rows[0];
}

describe('segments of what is sent', () => {
  it('are counted here when all that comes is a callback, and once when the result comes after it', async () => {
    const report = { messageId: id, sid, status: 'sent' as const, errorCode: null, at: now };
    await fixture.in(acme, (trx) => applyStatusReports(trx, [report, { ...report, status: 'delivered' }]));
    expect(await segmentsOf(id)).toEqual({ own: 2, usage: 2 });
    await write();
    expect(await segmentsOf(id)).toEqual({ own: 2, usage: 2 });
  });

  it.for([
    ["Twilio's where a search finds them", 1, 1],
    ['ours while Twilio has not counted', null, 2],
  ] as const)('are %s', async ([, segments, expected]) => {
    const account: TwilioAccount = {
      send: () => Promise.reject(new Error('settling sends nothing')),
      findSent: async () => [{ sid, body, status: 'sent', errorCode: null, segments }],
    };
    const clock = { now: () => new Date(now.getTime() + settleAfterMs), sync: async () => {} };
    const deps = { database: fixture.database, clock, account };
    await settleDoubts(deps, acme.id, (trx) => unsettledMessages(trx, massSms.range), new AbortController().signal);
    expect(await segmentsOf(id)).toEqual({ own: expected, usage: expected });
  });

  it("stay Twilio's when the worker's result arrives late", async () => {
    const found = { sid, status: 'sent' as const, errorCode: null, segments: 7 };
    await fixture.in(acme, (trx) => settleAsSent(trx, id, found, now));
    await write();
    expect(await segmentsOf(id)).toEqual({ own: 7, usage: 7 });
  });
});

it.for([
  ['as Twilio says', { segments: 3, body: 'Hello' }, 3],
  ['as counted here where it does not', { body }, 2],
  ['one where there is no text', { body: '' }, 1],
] as const)('segments of what comes in are %s', async ([, given, expected]) => {
  const received = await fixture.in(acme, (trx) =>
    recordInbound(trx, {
      organizationId: acme.id,
      sid: `SM${randomUUID()}`,
      from: '+14155550101',
      to: acme.line,
      mediaUrls: [],
      keyword: null,
      at: now,
      ...given,
    }),
  );
  if (received.kind !== 'received') throw new Error('nothing was received');
  expect(await segmentsOf(received.messageId)).toEqual({ own: expected, usage: expected });
});
