/**
 * When marketing texts may be sent, by place. Not legal advice: a developer's reading, to be confirmed by counsel.
 *
 * Applied to everything but a person's direct replies. The federal row is the floor everywhere in the United States; a
 * state's own row narrows it further. A row is a fact with a date: a change of the law is a new row with `since`, and
 * the old one stays for what was sent before.
 */

export type Hours = readonly [
  /** `HH:MM`, inclusive. */
  from: string,
  /** `HH:MM`, exclusive. */
  until: string,
];

export interface LawfulHours {
  /** `US` for the federal floor, `Canada`, `unknown`, or a state as in `TX`. */
  place: string;
  /** Local time of the recipient; null where nothing may be sent that day. */
  weekdays: Hours | null;
  saturday: Hours | null;
  sunday: Hours | null;
  /** Nothing may be sent on legal holidays (the federal ones, see `holidays.ts`). */
  notOnHolidays?: true;
  /** The hours are meant in this zone, whatever clock the recipient has. */
  timeZone?: string;
  /** The first local day it applies, where known; without it, it always has. */
  since?: string;
  source: string;
  /** `law`: a law, a regulator or a law firm's account of it was read. `vendors`: only tables of texting vendors. */
  support: 'law' | 'vendors' | 'decision';
  /** When the source was last looked at. */
  checkedOn: string;
}

const daily = (from: string, until: string) => ({
  weekdays: [from, until] as const,
  saturday: [from, until] as const,
  sunday: [from, until] as const,
});
const notOnSundays = (from: string, until: string) => ({ ...daily(from, until), sunday: null });
const law = { support: 'law', checkedOn: '2026-11-22' } as const;
const vendors = { support: 'vendors', checkedOn: '2026-11-22' } as const;

/**
 * The United States: the federal floor, then the states that narrow it or have hours of their own. Oldest row first.
 */
const unitedStates: readonly LawfulHours[] = [
  { place: 'US', ...daily('08:00', '21:00'), source: '47 CFR 64.1200(c)(1)', ...law },
  { place: 'AL', ...notOnSundays('08:00', '20:00'), notOnHolidays: true, source: 'Vendor tables', ...vendors },
  { place: 'CA', ...daily('09:00', '21:00'), source: 'One vendor, naming Pub. Util. Code § 2872(c)', ...vendors },
  {
    place: 'CT',
    ...daily('09:00', '20:00'),
    since: '2023-10-01',
    source: 'Conn. Gen. Stat. § 42-288a, which names texts (SB 1058 of 2023)',
    ...law,
  },
  {
    place: 'FL',
    ...daily('08:00', '20:00'),
    since: '2021-07-01',
    source: 'Fla. Stat. § 501.616(6) (SB 1120 of 2021)',
    ...law,
  },
  { place: 'IL', ...daily('09:00', '21:00'), source: 'Vendor tables, which differ', ...vendors },
  { place: 'KY', ...daily('10:00', '21:00'), source: 'Vendor tables, naming KRS 367.46955', ...vendors },
  {
    place: 'LA',
    ...notOnSundays('08:00', '20:00'),
    notOnHolidays: true,
    source: 'Vendor tables, naming La. R.S. 45:844',
    ...vendors,
  },
  { place: 'MA', ...daily('08:00', '20:00'), source: 'Vendor tables, naming M.G.L. c. 159C § 3', ...vendors },
  { place: 'MD', ...daily('08:00', '20:00'), source: 'Stop the Spam Calls Act of 2023 (SB 90)', ...law },
  { place: 'MI', ...daily('09:00', '21:00'), source: 'Vendor tables', ...vendors },
  { place: 'MN', ...daily('09:00', '21:00'), source: 'Vendor tables, naming Minn. Stat. § 325E.30', ...vendors },
  {
    place: 'MS',
    ...notOnSundays('08:00', '20:00'),
    timeZone: 'America/Chicago',
    source: 'Vendor tables; no Sundays by Miss. Code § 77-3-723(1)',
    ...vendors,
  },
  { place: 'NJ', ...daily('08:00', '21:00'), source: 'N.J.S.A. 56:8-128 (some vendors say until 20:00)', ...law },
  { place: 'NM', ...daily('09:00', '21:00'), source: 'Vendor tables', ...vendors },
  { place: 'NV', ...daily('09:00', '20:00'), source: 'Vendor tables', ...vendors },
  {
    place: 'OK',
    ...daily('08:00', '20:00'),
    since: '2022-11-01',
    source: 'Telephone Solicitation Act of 2022, 15 O.S. § 775C.4 (HB 3168)',
    ...law,
  },
  {
    place: 'PA',
    ...daily('08:00', '21:00'),
    notOnHolidays: true,
    since: '2019-12-03',
    source: 'Act 73 of 2019: no legal holidays',
    ...law,
  },
  {
    place: 'PA',
    ...notOnSundays('09:00', '19:00'),
    notOnHolidays: true,
    since: '2026-10-18',
    // It passed the Senate and names texts; that it was enacted has not been seen. Sending on a Sunday it forbids would
    // be the worse mistake.
    source: 'SB 992, enactment not seen; the date is one vendor’s',
    ...vendors,
  },
  {
    place: 'RI',
    weekdays: ['09:00', '18:00'],
    saturday: ['10:00', '17:00'],
    sunday: null,
    notOnHolidays: true,
    source: 'R.I. Gen. Laws §§ 5-61-2, 5-61-3.6 (vendors differ on Sundays; the statute has none)',
    ...law,
  },
  {
    place: 'TX',
    ...daily('09:00', '21:00'),
    sunday: ['12:00', '21:00'],
    since: '2025-09-01',
    source: 'SB 140 of 2025, which names texts',
    ...law,
  },
  {
    place: 'UT',
    ...notOnSundays('08:00', '21:00'),
    notOnHolidays: true,
    source: 'Utah Code § 13-25a-103(3), cellular telephones named; waived by prior express consent',
    ...law,
  },
  { place: 'VA', ...daily('08:00', '21:00'), since: '2026-01-01', source: 'SB 1339; waived by prior consent', ...law },
  {
    place: 'WA',
    ...daily('08:00', '20:00'),
    since: '2022-06-09',
    source: 'HB 1497 of 2022; written for calls, whether texts are meant is unclear',
    ...law,
  },
  { place: 'WY', ...daily('08:00', '20:00'), source: 'Vendor tables', ...vendors },
];

export const rules: readonly LawfulHours[] = [
  ...unitedStates,
  {
    place: 'Canada',
    weekdays: ['09:00', '21:30'],
    saturday: ['10:00', '18:00'],
    sunday: ['10:00', '18:00'],
    // Texts are under CASL, which sets no hours; these are what Canadians are used to.
    source: 'CRTC Unsolicited Telecommunications Rules, for calls and faxes',
    ...law,
  },
  {
    /**
     * Nobody knows in which state: a toll-free number, an area code newer than our table. The strictest rows of all
     * states together would forbid every weekend; what most states that have a rule agree on is applied instead, at
     * once in all mainland zones (`zones.ts`). From 11:00 to 20:00 Eastern it is 8 to 20 in all four.
     */
    place: 'unknown',
    ...daily('08:00', '20:00'),
    source: 'The hours most states with a rule of their own allow',
    support: 'decision',
    checkedOn: '2026-11-22',
  },
];
