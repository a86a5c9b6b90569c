/** A mass SMS whose lines are gone at Twilio leaves from the others of its pool, as soon as there are any. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { takeOver, writeDownAsGone } from '../../../db/numbers/orphans.ts';
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

/** As the hourly check does. */
const goneAtTwilio = (organization: Organization, id: string) =>
  fixture.in(organization, (trx) => writeDownAsGone(trx, organization.id, { id, at: fixture.clock.now() }));

const refusesLines = (gone: readonly string[]) => async (message: { from: string }) =>
  gone.includes(message.from) ? ({ kind: 'blocked', code: 21606, detail: 'not yours' } as const) : accepted();

const linesOf = async (massSms: TestBatches) =>
  new Set((await fixture.messages(massSms)).map(({ line, status }) => `${line} ${status}`));

it('the only line of a pool: it stops with an error, and leaves from the line that joins the pool once it is resumed', async () => {
  const { organization, number } = await sender();
  const massSms = await fixture.massSmsTo(organization, people);
  fixture.twilio.answer = refusesLines([number.line]);
  await goneAtTwilio(organization, number.id);
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
  await goneAtTwilio(organization, number.id);
  isGone.resolve();
  expect(await running).toEqual({ status: 'completed', runAt: null });
  expect(await linesOf(massSms)).toEqual(new Set([`${other!.line} accepted`]));
});

it('a line that came back to the organization is as good as any', async () => {
  const { organization, number } = await sender();
  const massSms = await fixture.massSmsTo(organization, people);
  await goneAtTwilio(organization, number.id);
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

it('a number that Twilio has sold to another organization: the rest of its pool sends, and nobody is told twice', async () => {
  const { organization, number } = await sender();
  const [other] = await fixture.numbers(organization, 1);
  const massSms = await fixture.massSmsTo(organization, people);
  const { id: organizationId } = await fixture.organization();
  const sold = { organizationId, phoneNumber: number.line, sid: 'PNnew', at: fixture.clock.now() };
  await Promise.all([takeOver(fixture.database, sold), takeOver(fixture.database, sold)]);
  expect(await linesOf(massSms)).toEqual(new Set([`${other!.line} queued`]));
  const acts = await fixture.database.system
    .selectFrom('audit_log')
    .select(['organization_id', 'action'])
    .where('subject', '=', number.id)
    .execute();
  expect(acts).toEqual([{ organization_id: organization.id, action: 'number.gone_at_twilio' }]);
});
