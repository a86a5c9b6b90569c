/**
 * Where the numbers of an area code are at home. It says less than it did: numbers move with people, and from one
 * carrier to another, so that the exchange (the next three digits) says nothing about a mobile at all and is not looked
 * at.
 */
import { areaCodesOfRegion } from '../../numbers/area-codes.ts';
import { regions, type Area } from './regions.ts';

/**
 * Codes that are not simply in the first zone of their region. Compared with Google's libphonenumber and with the list
 * of NANPA, who assign the codes, by `scripts/area-code-zones.ts`.
 */
const exceptions: readonly (readonly [codes: string, timeZones: string])[] = [
  ['850 448', 'America/New_York America/Chicago'],
  ['270 364 606', 'America/New_York America/Chicago'],
  ['219 574 812 930', 'America/Indiana/Indianapolis America/Chicago'],
  // Of 931, NANPA says both; libphonenumber knows only Central exchanges. 865 is Knoxville.
  ['423 729 931', 'America/Chicago America/New_York'],
  ['865', 'America/New_York'],
  ['906', 'America/Detroit America/Chicago'],
  ['701 605 308 620 785', 'America/Chicago America/Denver'],
  // El Paso and Hudspeth counties.
  ['915', 'America/Denver'],
  ['208 986', 'America/Boise America/Los_Angeles'],
  ['541 458', 'America/Los_Angeles America/Boise'],
  ['775', 'America/Los_Angeles America/Denver'],
  ['928', 'America/Phoenix America/Denver'],
  ['907', 'America/Anchorage America/Adak'],
  ['807', 'America/Toronto America/Winnipeg'],
  ['250 236 257 672 778', 'America/Vancouver America/Edmonton America/Dawson_Creek'],
  ['306 639 474', 'America/Regina America/Edmonton'],
  ['418 581 367 273', 'America/Toronto America/Halifax'],
  ['709 879', 'America/St_Johns America/Goose_Bay'],
  // All of the north: each territory keeps those of its own.
  ['867', 'America/Edmonton America/Whitehorse America/Iqaluit America/Rankin_Inlet America/Cambridge_Bay'],
];

const zonesOfCode = new Map(
  exceptions.flatMap(([codes, timeZones]) => codes.split(' ').map((code) => [code, timeZones.split(' ')] as const)),
);

const areasOfCode = new Map<string, Area[]>();
for (const [region, { timeZones }] of regions)
  for (const code of areaCodesOfRegion(region)) {
    const its = zonesOfCode.get(code)?.filter((zone) => timeZones.includes(zone)) ?? timeZones.slice(0, 1);
    areasOfCode.set(code, [...(areasOfCode.get(code) ?? []), { region, timeZones: its }]);
  }

/** Where it may be: of several regions for 902 and 867 only. Empty for a code that we do not know. */
export const areasOfAreaCode = (areaCode: string): readonly Area[] => areasOfCode.get(areaCode) ?? [];
