/** A mass SMS over a day and a continent: each message leaves at the first moment that is lawful where it goes (E3). */
import type { DateTime } from 'luxon';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { placesOf } from '../../../domain/lawful-hours/places.ts';
import { days, type SendWindow } from '../../../domain/send-window.ts';
import { massSmsWorkflowId } from '../../../workflows/ids.ts';
import { sendable, windowOpen } from '../../domain/lawful-hours/oracle.ts';
import { type EnabledOrganization, startSystem, type System } from '../../harness/system.ts';
import { keepHistory } from '../../replay/record.ts';
import { accepted, command, create, moveTo, next, read, until } from '../support.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ timeSkipping: true });
});
afterAll(async () => {
  await system?.stop();
});

const minute = 60_000;
const window: SendWindow = { startTime: '07:00', endTime: '19:00', timeZone: 'America/Chicago', days };

interface Person {
  mobile: string;
  postalCode: string | null;
  timeZone: string | null;
}

type Origin = Omit<Person, 'mobile'> & { areaCode: string };
const origin = (areaCode: string, given: Partial<Origin> = {}): Origin => ({
  areaCode,
  postalCode: null,
  timeZone: null,
  ...given,
});

/**
 * Area codes of the four zones of the mainland and beyond, of states with hours of their own (Kentucky and Rhode Island
 * most of all), of two zones at once, of Canada, and of no place; addresses elsewhere; stated clocks.
 */
const origins: readonly Origin[] = [
  ...'212 617 305 502 401 215 312 214 901 504 205 303 505 602 801'.split(' ').map((code) => origin(code)),
  ...'208 850 415 213 206 702 907 808 204 416 604 833'.split(' ').map((code) => origin(code)),
  origin('212', { postalCode: '94110' }),
  origin('415', { postalCode: '40202' }),
  origin('208', { postalCode: '83702' }),
  origin('850', { postalCode: '32401' }),
  origin('312', { timeZone: 'America/Los_Angeles' }),
  origin('415', { timeZone: 'America/New_York' }),
  origin('833', { postalCode: '10001' }),
];

let nextNumber = 2_300_000 + Math.floor(Math.random() * 100_000);

/** People imported in this order, with their consent. */
async function recipients({ client }: EnabledOrganization, from: readonly Origin[]): Promise<Person[]> {
  const people = from.map(({ areaCode, ...place }) => ({ mobile: `+1${areaCode}${(nextNumber += 1)}`, ...place }));
  const rows = people.map(({ mobile, postalCode, timeZone }) => `${mobile},${postalCode ?? ''},${timeZone ?? ''},both`);
  const csv = ['mobile,postalCode,timeZone,consent', ...rows].join('\n');
  const imported = await client.post('/v1/contacts/import?list=all', csv, { 'content-type': 'text/csv' });
  expect(imported).toMatchObject({ status: 200, body: { imported: people.length, rejected: [] } });
  return people;
}

/** The first minute from `from` on that window and law allow, by the oracle. */
function firstLawfulMinute(person: Person, from: number): number {
  const places = placesOf(person);
  let at = Math.ceil(from / minute) * minute;
  while (!windowOpen(window, at) || !sendable(places, at)) at += minute;
  return at;
}

/** Those who were written to, by number, at which minute. */
async function minutesOf(organization: EnabledOrganization): Promise<Map<string, number>> {
  const messages = await accepted(system, organization);
  const minutes = messages.map(
    ({ to, acceptedAt }) => [to, Math.floor(Date.parse(acceptedAt) / minute) * minute] as const,
  );
  expect(new Set(minutes.map(([to]) => to)).size).toBe(minutes.length);
  return new Map(minutes);
}
const shown = (minutes: Iterable<readonly [string, number]>) =>
  [...minutes].map(([to, at]) => `${to} ${new Date(at).toISOString()}`).toSorted();

it('each leaves once, at its first lawful minute; those whose hours begin during a pause, when it is resumed', async () => {
  const organization = await system.enabledOrganization({
    settings: { sendWindow: window, sendWindowMode: 'recipient' },
  });
  const people = await recipients(organization, [...origins, ...origins]);
  const start = await next(system, 2, '07:00');
  const id = await create(organization, { startAt: start.toISO() });

  const pausedAt = start.set({ hour: 9, minute: 30 });
  const resumedAt = start.set({ hour: 10, minute: 20 });
  await moveTo(system, pausedAt);
  expect((await command(organization, id, 'pause')).status).toBe(200);
  const before = await minutesOf(organization);
  await moveTo(system, resumedAt);
  expect((await minutesOf(organization)).size).toBe(before.size);
  expect((await command(organization, id, 'resume')).status).toBe(200);
  await moveTo(system, start.plus({ days: 1 }));
  await until(organization, id, { status: 'completed', remaining: 0, sent: people.length });

  const expected = people.map((person): [string, number] => {
    const at = firstLawfulMinute(person, start.toMillis());
    return [person.mobile, at < pausedAt.toMillis() ? at : firstLawfulMinute(person, resumedAt.toMillis())];
  });
  expect(shown(await minutesOf(organization))).toEqual(shown(expected));
  // Before, between and after: the case is worth its name.
  expect(new Set(expected.map(([, at]) => at)).size).toBeGreaterThan(5);
  expect(before.size).toBeGreaterThan(10);
  expect((await read(organization, id)).batches).toMatchObject([{ number: 1, status: 'sent' }]);
  await keepHistory(system.temporal, massSmsWorkflowId(id), 'massSms.recipientHours');
});

it('over a Sunday on which a state is closed the batch stays open, and the next one waits for it', async () => {
  const organization = await system.enabledOrganization({
    settings: { sendWindow: window, sendWindowMode: 'recipient', firstBatchSize: 4 },
  });
  // In Rhode Island Saturdays end at five.
  const codes = '401 212 303 205 212 305'.split(' ');
  const people = await recipients(
    organization,
    codes.map((code) => origin(code)),
  );
  // One on which only the Sunday is in the way: no holiday is near.
  let start = await next(system, 6, '17:30');
  const isPlain = () =>
    people.slice(1).every((person) => firstLawfulMinute(person, start.toMillis()) === start.toMillis());
  const mondayOf = (saturday: DateTime) => saturday.plus({ days: 2 }).set({ hour: 8, minute: 0 }).toMillis();
  while (!isPlain() || firstLawfulMinute(people[0]!, start.toMillis()) !== mondayOf(start)) {
    start = start.plus({ weeks: 1 });
  }
  const id = await create(organization, { startAt: start.toISO(), allowWeekends: true });
  await moveTo(system, start.plus({ days: 3 }));
  await until(organization, id, { status: 'completed', remaining: 0, sent: people.length });
  const monday = mondayOf(start);
  const saturday = start.toMillis();
  const expected = people.map(({ mobile }, rank): [string, number] => [
    mobile,
    rank === 0 || rank >= 4 ? monday : saturday,
  ]);
  expect(shown(await minutesOf(organization))).toEqual(shown(expected));
  expect(people.slice(0, 4).map((person) => firstLawfulMinute(person, saturday))).toEqual([
    monday,
    saturday,
    saturday,
    saturday,
  ]);
});
