/** Mass SMS on a system whose clock the tests move. */
import { DateTime } from 'luxon';
import { expect } from 'vitest';
import type { SimulatedMessage } from '../harness/control.ts';
import { eventually } from '../harness/eventually.ts';
import type { EnabledOrganization, System } from '../harness/system.ts';

export const zone = 'America/Chicago';

/** The local date and time in Chicago, as tests name moments: `2027-03-12T10:00`. */
const local = (text: string): DateTime<true> => DateTime.fromISO(text, { zone }) as DateTime<true>;
const shown = (instant: string): string => DateTime.fromISO(instant, { zone }).toFormat('ccc yyyy-MM-dd HH:mm');

/** Moves the clock to a local moment, running all that falls due on the way. */
export async function moveTo(system: System, moment: DateTime): Promise<void> {
  const seconds = Math.ceil((moment.toMillis() - (await system.now())) / 1000);
  if (seconds < 0) throw new Error(`${moment.toISO()} has passed: it is ${new Date(await system.now()).toISOString()}`);
  await system.advance(`${seconds} seconds`);
}

/** The next day of the week (1 Monday … 7 Sunday) that has not begun yet, at a time of day. */
export async function next(system: System, weekday: number, time: string): Promise<DateTime<true>> {
  let day = DateTime.fromMillis(await system.now(), { zone })
    .plus({ days: 1 })
    .startOf('day');
  while (day.weekday !== weekday) day = day.plus({ days: 1 });
  return local(`${day.toISODate()}T${time}`);
}

/** The second Sunday of March, when US clocks go forward: the next one that is some days away. */
export async function nextSpringForward(system: System): Promise<DateTime> {
  const soon = DateTime.fromMillis(await system.now(), { zone }).plus({ days: 7 });
  const sundayOf = (year: number) => {
    const march = DateTime.fromObject({ year, month: 3 }, { zone });
    return march.plus({ days: 7 + ((7 - march.weekday) % 7) });
  };
  return sundayOf(soon.year) > soon ? sundayOf(soon.year) : sundayOf(soon.year + 1);
}

export async function create(organization: EnabledOrganization, given: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await organization.client.post('/v1/mass-sms', {
    list: 'all',
    body: '{{organization.name}}: Hi {{contact.firstName}}, we are hiring. Reply STOP to opt out.',
    ...given,
  });
  expect({ status, body }).toMatchObject({ status: 201, body: { status: 'scheduled' } });
  return body.id;
}

export const read = async (organization: EnabledOrganization, id: string) =>
  (await organization.client.get(`/v1/mass-sms/${id}`)).body;

export const until = (organization: EnabledOrganization, id: string, expected: Record<string, unknown>) =>
  eventually(async () => expect(await read(organization, id)).toMatchObject(expected), { withinMs: 60_000 });

export const command = (organization: EnabledOrganization, id: string, action: string, body?: unknown) =>
  organization.client.post(`/v1/mass-sms/${id}/${action}`, body ?? smallest[action]);
const smallest: Record<string, unknown> = { resume: {}, reschedule: { allowWeekends: true } };

/** What the simulator accepted from the organization's line, in order. */
export const accepted = async (
  system: System,
  { line }: EnabledOrganization,
): Promise<(SimulatedMessage & { errorCode?: number | null })[]> =>
  (await system.twilio.messages({ from: line.phoneNumber, limit: 50_000 })).items;

/** How many messages were accepted on each local day, and at which minute the first of them. */
export async function byDay(system: System, organization: EnabledOrganization): Promise<[string, number][]> {
  const days = new Map<string, { first: string; count: number }>();
  for (const { acceptedAt } of await accepted(system, organization)) {
    const day = DateTime.fromISO(acceptedAt, { zone }).toISODate()!;
    const known = days.get(day) ?? { first: shown(acceptedAt), count: 0 };
    days.set(day, { ...known, count: known.count + 1 });
  }
  return [...days.values()].map(({ first, count }) => [first, count]);
}
