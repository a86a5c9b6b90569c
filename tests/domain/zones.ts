/** Zones and moments that make local time hard. */
import fc from 'fast-check';
import { days, type SendWindow } from '../../domain/send-window.ts';

/** With daylight saving in both hemispheres, without, with half and quarter hours, and one that moves by half an hour. */
const zones = [
  'America/Chicago',
  'America/New_York',
  'America/Phoenix',
  'America/St_Johns',
  'America/Vancouver',
  'Europe/London',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Adelaide',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Africa/Cairo',
  'Pacific/Auckland',
  'UTC',
] as const;

/** Nights on which clocks change, as instants shortly before. */
export const changes: readonly { zone: string; at: string }[] = [
  { zone: 'America/Chicago', at: '2027-03-14T08:00:00Z' },
  { zone: 'America/Chicago', at: '2026-11-01T07:00:00Z' },
  { zone: 'America/St_Johns', at: '2027-03-14T05:30:00Z' },
  { zone: 'America/St_Johns', at: '2026-11-01T04:30:00Z' },
  { zone: 'Europe/London', at: '2027-03-28T01:00:00Z' },
  { zone: 'Europe/London', at: '2026-10-25T01:00:00Z' },
  { zone: 'Australia/Adelaide', at: '2026-10-03T16:30:00Z' },
  { zone: 'Australia/Adelaide', at: '2027-04-03T16:30:00Z' },
  { zone: 'Australia/Lord_Howe', at: '2026-10-03T15:30:00Z' },
  { zone: 'Australia/Lord_Howe', at: '2027-04-03T15:00:00Z' },
  // At midnight itself.
  { zone: 'Africa/Cairo', at: '2027-04-29T22:00:00Z' },
  { zone: 'Africa/Cairo', at: '2026-10-29T21:00:00Z' },
];

const minute = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 1_439 }) },
  // Around the hours at which clocks change.
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }) },
);
const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
export const time = minute.map(clock);

/** A zone and an instant in it, half of them within two days of a clock change. */
export const placeAndTime = fc.oneof(
  fc
    .record({ change: fc.constantFrom(...changes), offset: fc.integer({ min: -172_800, max: 172_800 }) })
    .map(({ change, offset }) => ({ zone: change.zone, at: new Date(Date.parse(change.at) + offset * 1_000) })),
  fc
    .record({ zone: fc.constantFrom<string>(...zones), minutes: fc.integer({ min: 0, max: 1_051_200 }) })
    .map(({ zone, minutes }) => ({ zone, at: new Date(Date.UTC(2026, 0, 1) + minutes * 60_000) })),
);

const untilMidnight = minute.map((start): [string, string] => [clock(start), '00:00']);
const withinDay = fc.tuple(minute, minute).map((pair) => pair.toSorted((a, b) => a - b).map(clock) as [string, string]);

/** Any window the API accepts: also whole days. */
export const windowIn = (zone: string): fc.Arbitrary<SendWindow> =>
  fc
    .record({
      times: fc.oneof({ weight: 5, arbitrary: withinDay }, { weight: 1, arbitrary: untilMidnight }),
      days: fc.subarray([...days], { minLength: 1 }),
    })
    .map(({ times: [startTime, endTime], days: on }) => ({ startTime, endTime, timeZone: zone, days: on }));
