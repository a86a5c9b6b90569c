/** Recipients, windows and moments that make sending hours hard. */
import fc from 'fast-check';
import { areas } from '../../../domain/numbers/area-codes-data.ts';
import { placesOf, type Place, type Recipient } from '../../../domain/lawful-hours/places.ts';
import { days, type SendWindow } from '../../../domain/send-window.ts';
import { windowIn } from '../zones.ts';

const codes = [...new Set(areas.flatMap(([its]) => its.split(' ')))];
/** In several zones, in a zone of their own, with rules of their own; toll-free, not yet known, of another country. */
const hardCodes = '208 850 270 574 423 865 906 701 605 915 541 775 928 907 808 807 250 306 418 709 867 204 902'.split(
  ' ',
);
const ruledCodes = '214 215 401 205 504 601 801 305 203 502 671 787 800 833 232 876'.split(' ');

const mobile = fc
  .oneof(fc.constantFrom(...codes), fc.constantFrom(...hardCodes), fc.constantFrom(...ruledCodes))
  .map((code) => `+1${code}5550123`);

const hardPostalCodes = [
  // Of two zones, of zones and states that their neighbours are not in.
  '83702,83501,83540,32401,36867,37305,75201,79901,79830,10001,96799,06390,19103,70112-1234,00901',
  'V0B1A0,P0T2E0,K1A 0B1,R3C 1A1,S0P 0A0,a1c 5m2,X0A 0H0',
  // Of the armed forces, and none.
  '09001,ABC',
].flatMap((line) => line.split(','));

const postalCode = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(...hardPostalCodes) },
  { weight: 1, arbitrary: fc.nat(99_999).map((zip) => String(zip).padStart(5, '0')) },
);

/** Also of other continents, whose clocks change on other nights, or at midnight, or by half an hour. */
const hardZones = [
  'America/New_York America/Chicago America/Boise America/Phoenix America/Los_Angeles America/Anchorage',
  'Pacific/Honolulu Pacific/Guam America/Winnipeg America/St_Johns America/Vancouver America/Toronto America/Inuvik',
  'US/Eastern Europe/London Africa/Cairo America/Havana Asia/Kathmandu Australia/Lord_Howe Pacific/Easter',
  'Pacific/Kiritimati UTC',
].flatMap((line) => line.split(' '));

const timeZone = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(...hardZones) },
);

export const recipient: fc.Arbitrary<Recipient> = fc.record({
  mobile: fc.oneof({ weight: 9, arbitrary: mobile }, { weight: 1, arbitrary: fc.constant(null) }),
  postalCode,
  timeZone,
});

export const places: fc.Arbitrary<readonly Place[]> = recipient.map(placesOf);

const windowAnywhere = fc.constantFrom(...hardZones).chain(windowIn);
const wholeDays = windowAnywhere.map(({ startTime, timeZone, days }): SendWindow => ({
  startTime,
  endTime: startTime,
  timeZone,
  days,
}));
/** What customers set: working hours at home. */
const usualWindow = fc
  .constantFrom('America/New_York', 'America/Chicago', 'America/Los_Angeles')
  .map((timeZone): SendWindow => ({ startTime: '08:00', endTime: '16:00', timeZone, days: days.slice(0, 5) }));
export const window = fc.oneof(fc.constant(null), usualWindow, windowAnywhere, wholeDays);

const nights = ['2026-03-08', '2026-11-01', '2027-03-14', '2027-11-07'].map((date) => Date.parse(`${date}T08:00:00Z`));

/** Half of them within two days of a change of clocks, some at holidays; to the second. */
export const instant = fc
  .oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(fc.constantFrom(...nights), fc.integer({ min: -172_800, max: 172_800 }))
        .map(([night, seconds]) => night + seconds * 1_000),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('2026-07-02', '2026-11-25', '2027-12-23', '2027-12-30'), fc.nat(345_600))
        .map(([date, seconds]) => Date.parse(date) + seconds * 1_000),
    },
    {
      weight: 4,
      arbitrary: fc.nat(2 * 365 * 86_400 - 1).map((seconds) => Date.UTC(2026, 0, 1) + seconds * 1_000),
    },
  )
  .map((millis) => new Date(millis));
