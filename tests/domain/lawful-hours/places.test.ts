/** Where recipients may be: area codes and postal codes against the map, and what wins when they disagree. */
import { describe, expect, it } from 'vitest';
import { areas } from '../../../domain/numbers/area-codes-data.ts';
import { areasOfAreaCode } from '../../../domain/lawful-hours/geography/area-codes.ts';
import { placesKey, placesOf, type Recipient } from '../../../domain/lawful-hours/places.ts';
import { areas as postalAreas } from '../../../domain/lawful-hours/geography/postal-codes-data.ts';
import { areaOfPostalCode } from '../../../domain/lawful-hours/geography/postal-codes.ts';
import { regions } from '../../../domain/lawful-hours/geography/regions.ts';
import { assertZoneData, clocksOf, usableZone } from '../../../domain/lawful-hours/zones.ts';

const nobody: Recipient = { mobile: null, postalCode: null, timeZone: null };
const where = (recipient: Partial<Recipient>): string => placesKey(placesOf({ ...nobody, ...recipient }));
const mobile = (areaCode: string): { mobile: string } => ({ mobile: `+1${areaCode}5550123` });
/** `TX Chicago Denver` */
const short = (areas: readonly { region: string; timeZones: readonly string[] }[]): string =>
  areas
    .map(({ region, timeZones }) => [region, ...timeZones.map((zone) => zone.split('/').at(-1))].join(' '))
    .join(', ');

describe('an area code', () => {
  it.for([
    // In two zones.
    ['850 448', 'FL New_York Chicago'],
    ['270 364 606', 'KY New_York Chicago'],
    ['219 574 812 930', 'IN Indianapolis Chicago'],
    ['423 729 931', 'TN Chicago New_York'],
    ['906', 'MI Detroit Chicago'],
    ['701', 'ND Chicago Denver'],
    ['605', 'SD Chicago Denver'],
    ['308', 'NE Chicago Denver'],
    ['620 785', 'KS Chicago Denver'],
    ['208 986', 'ID Boise Los_Angeles'],
    ['541 458', 'OR Los_Angeles Boise'],
    ['775', 'NV Los_Angeles Denver'],
    ['928', 'AZ Phoenix Denver'],
    ['907', 'AK Anchorage Adak'],
    ['807', 'ON Toronto Winnipeg'],
    ['250 236 257 672 778', 'BC Vancouver Edmonton Dawson_Creek'],
    ['306 639 474', 'SK Regina Edmonton'],
    ['418 581 367 273', 'QC Toronto Halifax'],
    ['709 879', 'NL St_Johns Goose_Bay'],
    ['867', 'NT Edmonton, NU Iqaluit Rankin_Inlet Cambridge_Bay, YT Whitehorse'],
    ['902 782', 'NS Halifax, PE Halifax'],
    // In one, of states that have several.
    ['305 689 904 352 386', 'FL New_York'],
    ['502 859 761', 'KY New_York'],
    ['317 463 260 765', 'IN Indianapolis'],
    ['615 629 901 731', 'TN Chicago'],
    ['865', 'TN New_York'],
    ['313 679 231 989', 'MI Detroit'],
    ['316 913', 'KS Chicago'],
    ['402 531', 'NE Chicago'],
    ['915', 'TX Denver'],
    ['214 432 806 956', 'TX Chicago'],
    ['503 971', 'OR Los_Angeles'],
    ['702 725', 'NV Los_Angeles'],
    ['602 480 623 520', 'AZ Phoenix'],
    ['205 334 483', 'AL Chicago'],
    ['416 705 519', 'ON Toronto'],
    ['604', 'BC Vancouver'],
    ['204 431 584', 'MB Winnipeg'],
    ['403 780 368', 'AB Edmonton'],
    ['514 819 468', 'QC Toronto'],
    ['506 428', 'NB Moncton'],
    ['787 939', 'PR Puerto_Rico'],
    ['340', 'VI St_Thomas'],
    ['671', 'GU Guam'],
    ['670', 'MP Saipan'],
    ['684', 'AS Pago_Pago'],
    ['808', 'HI Honolulu'],
  ] as const)('%s: %s', ([codes, expected]) => {
    for (const code of codes.split(' ')) expect(short(areasOfAreaCode(code)), code).toBe(expected);
  });

  it('of the table is known, in zones of its state and states of its line', () => {
    for (const [codes, itsRegions] of areas)
      for (const code of codes.split(' ')) {
        const its = areasOfAreaCode(code);
        expect(its.map(({ region }) => region).toSorted(), code).toEqual(
          expect.arrayContaining(itsRegions.split(' ').toSorted()),
        );
        for (const { region, timeZones } of its) {
          expect(timeZones.length, code).toBeGreaterThan(0);
          expect(regions.get(region)!.timeZones).toEqual(expect.arrayContaining([...timeZones]));
        }
      }
  });

  it('that we do not know is nowhere', () => {
    for (const code of ['232', '800', '876', '', '20', '__proto__']) expect(areasOfAreaCode(code)).toEqual([]);
  });
});

describe('a postal code', () => {
  it.for([
    ['83702 83201', 'ID Boise'],
    ['83814', 'ID Los_Angeles'],
    ['83501 83549', 'ID Boise Los_Angeles'],
    ['83414', 'WY Denver'],
    ['97914', 'OR Los_Angeles Boise'],
    ['97201', 'OR Los_Angeles'],
    ['32501', 'FL Chicago'],
    ['32401 32456', 'FL New_York Chicago'],
    ['32301 33101', 'FL New_York'],
    ['42101', 'KY Chicago'],
    ['42701 42501-1234', 'KY New_York Chicago, KY New_York'],
    ['40202 41011', 'KY New_York'],
    ['46402 47708', 'IN Chicago'],
    ['46204', 'IN Indianapolis'],
    ['37402 37902', 'TN New_York'],
    ['37203 38103', 'TN Chicago'],
    ['37312', 'TN Chicago New_York'],
    ['79901 88510', 'TX Denver'],
    ['79830', 'TX Chicago Denver'],
    ['77002', 'TX Chicago'],
    ['49801 49920', 'MI Detroit Chicago'],
    ['48201', 'MI Detroit'],
    ['58501', 'ND Chicago Denver'],
    ['57701', 'SD Denver'],
    ['69101', 'NE Chicago Denver'],
    ['69301', 'NE Denver'],
    ['67735', 'KS Chicago Denver'],
    ['89883', 'NV Los_Angeles Denver'],
    ['85001', 'AZ Phoenix'],
    ['86515', 'AZ Phoenix Denver'],
    ['99501', 'AK Anchorage Adak'],
    ['36867', 'AL Chicago New_York'],
    ['36104', 'AL Chicago'],
    ['06390 00501 10001', 'NY New_York'],
    ['96799', 'AS Pago_Pago'],
    ['96813', 'HI Honolulu'],
    ['96910', 'GU Guam'],
    ['00901', 'PR Puerto_Rico'],
    ['00802', 'VI St_Thomas'],
    ['20001 56901', 'DC New_York'],
    ['73960', 'TX Chicago'],
    ['K1A 0B1', 'ON Toronto'],
    ['p9n 1a1', 'ON Winnipeg'],
    ['P0T2E0', 'ON Toronto Winnipeg'],
    ['V6B-1A1', 'BC Vancouver'],
    ['V1C', 'BC Edmonton'],
    ['V0B 1A0', 'BC Vancouver Edmonton Dawson_Creek'],
    ['V1G', 'BC Dawson_Creek'],
    ['S9V 0A1', 'SK Edmonton'],
    ['S4P 3Y2', 'SK Regina'],
    ['G4T', 'QC Halifax'],
    ['H3Z 2Y7 H0H', 'QC Toronto'],
    ['A1C 5M2', 'NL St_Johns'],
    ['A2V', 'NL Goose_Bay'],
    ['X0G', 'NT Edmonton'],
    ['X0B', 'NU Cambridge_Bay'],
    ['Y1A', 'YT Whitehorse'],
    ['E3B', 'NB Moncton'],
    ['B3H', 'NS Halifax'],
    ['C1A', 'PE Halifax'],
    ['R3C', 'MB Winnipeg'],
    ['T2P', 'AB Edmonton'],
  ] as const)('%s: %s', ([codes, expected]) => {
    const wanted = expected.split(', ');
    for (const [index, code] of codes.split(/ (?=\w{5}|[A-Z]\d[A-Z]$)/).entries())
      expect(short([areaOfPostalCode(` ${code} `)!]), code).toBe(wanted[index] ?? wanted[0]);
  });

  it('is nowhere where there is none, abroad, in no known form, and with the armed forces', () => {
    for (const text of [
      '',
      '1234',
      '123456',
      '00000',
      '99950-12',
      'SW1A 1AA',
      'W1A',
      '09001',
      '34001',
      '96201',
      '96940',
    ])
      expect(areaOfPostalCode(text), text).toBeNull();
    expect(areaOfPostalCode('99950')).not.toBeNull();
  });

  it('is in zones of its region, with a prefix of one meaning', () => {
    const prefixes = postalAreas.flatMap(([, , its]) => its.split(' '));
    expect(new Set(prefixes).size).toBe(prefixes.length);
    for (const [region, timeZones] of postalAreas)
      expect(regions.get(region)!.timeZones).toEqual(expect.arrayContaining(timeZones.split(' ')));
    expect(new Set(postalAreas.map(([region]) => region))).toEqual(new Set(regions.keys()));
  });
});

describe('the candidate places', () => {
  it('are those of the number where nothing else is known', () => {
    expect(where(mobile('208'))).toBe('US-ID@America/Boise US-ID@America/Los_Angeles');
  });

  it('are those of the postal code where the number agrees with it', () => {
    expect(where({ ...mobile('208'), postalCode: '83702' })).toBe('US-ID@America/Boise');
    // It never makes less of what the postal code leaves open: a number of Miami, taken along to the Panhandle.
    expect(where({ ...mobile('305'), postalCode: '32456' })).toBe('US-FL@America/Chicago US-FL@America/New_York');
    expect(where({ ...mobile('902'), postalCode: 'C1A' })).toBe('CA-PE@America/Halifax');
  });

  it('are both where they differ, also within one state', () => {
    expect(where({ ...mobile('312'), postalCode: '94105' })).toBe('US-CA@America/Los_Angeles US-IL@America/Chicago');
    expect(where({ ...mobile('915'), postalCode: '75201' })).toBe('US-TX@America/Chicago US-TX@America/Denver');
    expect(where({ ...mobile('716'), postalCode: 'M5V' })).toBe('CA-ON@America/Toronto US-NY@America/New_York');
  });

  it('are fewer where a stated zone is one of theirs', () => {
    expect(where({ ...mobile('208'), timeZone: 'America/Los_Angeles' })).toBe('US-ID@America/Los_Angeles');
    expect(where({ ...mobile('312'), postalCode: '94105', timeZone: 'US/Pacific' })).toBe(
      'US-CA@America/Los_Angeles US-IL@America/Chicago',
    );
  });

  it('are more where it is not, as after a move', () => {
    expect(where({ ...mobile('208'), timeZone: 'America/New_York' })).toBe(
      'US-?@America/New_York US-ID@America/Boise US-ID@America/Los_Angeles',
    );
    expect(where({ ...mobile('415'), postalCode: '94105', timeZone: 'America/New_York' })).toBe(
      'US-?@America/New_York US-CA@America/Los_Angeles',
    );
  });

  it('are of both countries where the zone is of the other one', () => {
    expect(where({ ...mobile('312'), timeZone: 'America/Toronto' })).toBe('CA-?@America/Toronto US-IL@America/Chicago');
    expect(where({ ...mobile('416'), timeZone: 'America/New_York' })).toBe(
      'CA-ON@America/Toronto US-?@America/New_York',
    );
  });

  it('are the same with a zone that is kept in neither country', () => {
    for (const timeZone of ['UTC', 'GMT', 'Etc/GMT+5', 'Europe/London'])
      expect(where({ ...mobile('415'), postalCode: '94105', timeZone })).toBe('US-CA@America/Los_Angeles');
  });

  it('are the mainland where nothing is known, and the stated zone where only that is', () => {
    const mainland = '?-?@America/Chicago ?-?@America/Denver ?-?@America/Los_Angeles ?-?@America/New_York';
    for (const recipient of [{}, mobile('888'), mobile('232'), mobile('876'), { mobile: '+442071838750' }])
      expect(where(recipient)).toBe(mainland);
    expect(where({ ...mobile('888'), postalCode: 'nonsense', timeZone: 'Moon/Base' })).toBe(mainland);
    expect(where({ timeZone: 'America/Denver' })).toBe('US-?@America/Denver');
    expect(where({ timeZone: 'America/Vancouver' })).toBe('CA-?@America/Vancouver');
    expect(where({ ...mobile('888'), timeZone: 'UTC' })).toBe(mainland);
  });
});

describe('zone data', () => {
  it('of this runtime is right where clocks changed last', () => {
    expect(assertZoneData()).toEqual([]);
  });

  it('that is stale is named', () => {
    const older = (timeZone: string): number => (timeZone === 'America/Vancouver' ? -8 : -7);
    expect(assertZoneData(older)).toEqual([
      "America/Vancouver is -8 h from UTC on 2026-12-01 by this runtime's zone data; it should be -7 h.",
      "America/Edmonton is -7 h from UTC on 2026-12-01 by this runtime's zone data; it should be -6 h.",
      "America/Yellowknife is -7 h from UTC on 2026-12-01 by this runtime's zone data; it should be -6 h.",
    ]);
  });

  it('has every zone of every region', () => {
    for (const { timeZones } of regions.values())
      for (const zone of timeZones) expect(usableZone(zone), zone).toBe(zone);
    expect(usableZone('America/Inuvik')).toBe('America/Edmonton');
    expect(usableZone('America/Yellowknife')).toBe('America/Edmonton');
    expect(usableZone('US/Eastern')).toBe('America/New_York');
    expect(usableZone('Canada/Central')).toBe('America/Winnipeg');
    expect(usableZone('Europe/Paris')).toBe('Europe/Paris');
    expect(usableZone('nowhere')).toBeNull();
  });

  it('leaves Manitoba two clocks, by whatever name', () => {
    for (const zone of ['America/Winnipeg', 'Canada/Central', 'America/Rainy_River'])
      expect(clocksOf(zone)).toHaveLength(2);
    expect(clocksOf('America/Chicago')).toHaveLength(1);
  });
});
