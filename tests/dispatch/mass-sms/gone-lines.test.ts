/** A mass SMS whose lines are gone at Twilio leaves from the others of its pool, as soon as there are any. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { markGone } from '../../../db/numbers/orphans.ts';
import { rerouteFromGone } from '../../../db/numbers/reroute.ts';
import { defaultSettings } from '../../../domain/settings.ts';
import { eventually } from '../../harness/eventually.ts';
import type { Organization } from '../fixture.ts';
import { accepted, type BatchesFixture, openBatchesFixture, type TestBatches } from './fixture.ts';

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
const people = Array.from({ length: 12 }, () => ({}));

/** An organization that sends from one line. */
async function sender() {
  const organization = await fixture.sender(allDay);
  const [number] = await fixture.numbers(organization, 1);
  return { organization: { ...organization, line: number!.line }, number: number! };
}

/** As the hourly check writes it down. */
const writeDownAsGone = (organization: Organization, id: string) =>
  fixture.in(organization, async (trx) => {
    const now = fixture.clock.now();
    const line = await markGone(trx, id, now);
    await rerouteFromGone(trx, organization.id, { lines: [line!], now });
  });

const refusesLines = (gone: readonly string[]) => async (message: { from: string }) =>
  gone.includes(message.from) ? ({ kind: 'blocked', code: 21606, detail: 'not yours' } as const) : accepted();

const linesOf = async (massSms: TestBatches) =>
  new Set((await fixture.messages(massSms)).map(({ line, status }) => `${line} ${status}`));

it('the only line of a pool: it stops with an error, and leaves from the line that joins the pool once it is resumed', async () => {
  const { organization, number } = await sender();
  const massSms = await fixture.massSmsTo(organization, people);
  fixture.twilio.answer = refusesLines([number.line]);
  await writeDownAsGone(organization, number.id);
  expect(await fixture.run(massSms)).toMatchObject({ status: 'error' });
  const [joined] = await fixture.numbers(organization, 1);
  await fixture.command(massSms, 'resume');
  expect(await fixture.run(massSms)).toEqual({ status: 'completed', runAt: null });
  expect(await linesOf(massSms)).toEqual(new Set([`${joined!.line} accepted`]));
});

it('what was being sent and comes back leaves from another line of the pool, with the same run', async () => {
  const { organization, number } = await sender();
  const [other] = await fixture.numbers(organization, 1);
  const massSms = await fixture.massSmsTo(organization, people);
  const isGone = Promise.withResolvers<void>();
  fixture.twilio.answer = async (message) => {
    if (message.from !== number.line) return accepted();
    await isGone.promise;
    return { kind: 'later', detail: 'HTTP 429' };
  };
  const running = fixture.run(massSms);
  await eventually(async () => expect(fixture.twilio.sent).toHaveLength(5), { everyMs: 5 });
  await writeDownAsGone(organization, number.id);
  isGone.resolve();
  expect(await running).toEqual({ status: 'completed', runAt: null });
  expect(await linesOf(massSms)).toEqual(new Set([`${other!.line} accepted`]));
});

it('a line that came back to the organization is as good as any', async () => {
  const { organization, number } = await sender();
  const massSms = await fixture.massSmsTo(organization, people);
  await writeDownAsGone(organization, number.id);
  const [other] = await fixture.numbers(organization, 1);
  await fixture.database.system
    .updateTable('phone_numbers')
    .set({ phone_number: number.line })
    .where('id', '=', other!.id)
    .execute();
  await fixture.numbers(organization, 1);
  await fixture.run(massSms);
  expect(await linesOf(massSms)).toEqual(new Set([`${number.line} accepted`]));
});
