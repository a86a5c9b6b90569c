/** Area codes by real geography, checked by hand against the map and as properties of the whole table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areas } from '../../../domain/numbers/area-codes-data.ts';
import {
  areaCodeOf,
  areaCodesOfRegion,
  milesBetween,
  nearbyAreaCodes,
  regionOf,
} from '../../../domain/numbers/area-codes.ts';
import { boxes, provinces } from '../regions.ts';

const codes = [...new Set(areas.flatMap(([its]) => its.split(' ')))];
const anyCode = fc.constantFrom(...codes);
const everywhere = { withinMiles: 13_000 };
const near = (code: string, options?: Parameters<typeof nearbyAreaCodes>[1]): string[] =>
  nearbyAreaCodes(code, options).map(({ areaCode }) => areaCode);
const overlaysOf = (code: string): string[] => [
  ...new Set(areas.flatMap(([its]) => (its.split(' ').includes(code) ? its.split(' ') : [])).filter((c) => c !== code)),
];

describe('area codes near another', () => {
  it.each([
    ['Chicago', '312', ['872', '773']],
    ['Manhattan', '212', ['332', '646', '917']],
    ['both sides of the East River', '917', ['212', '332', '347', '465', '646', '718', '929']],
    ['Dallas', '214', ['469', '945', '972']],
    ['Boise', '208', ['986']],
    ['Toronto', '416', ['437', '647', '942']],
    ['Seattle, and around it', '564', ['206', '360']],
    ['Calgary', '403', ['368', '587', '825']],
    ['Denver', '983', ['303', '720']],
    ['Long Island', '934', ['631']],
    ['Puerto Rico', '787', ['939']],
  ])('begin with those of the same place, 0 miles away: %s', (_place, code, first) => {
    expect(nearbyAreaCodes(code).slice(0, first.length)).toEqual(
      first.map((areaCode) => ({ areaCode, miles: 0, region: regionOf(areaCode) })),
    );
  });

  it('go on with the next towns: what the map says', () => {
    // Chicago's southern and northern suburbs, then the western ones, then Gary in Indiana.
    expect(near('312', { limit: 9 })).toEqual(['872', '773', '464', '708', '224', '847', '331', '630', '219']);
    expect(nearbyAreaCodes('214').find(({ areaCode }) => areaCode === '817')).toEqual({
      areaCode: '817',
      miles: 30, // Fort Worth and Arlington
      region: 'TX',
    });
    expect(near('416').slice(3)).toEqual(['289', '365', '742', '905']);
    // Rochester is near Buffalo; the next digits, 715 and 717, are Wisconsin and Harrisburg.
    expect(near('716')).toEqual(['624', '585']);
    expect(near('415')).toEqual(expect.arrayContaining(['628', '510', '341', '650', '925']));
    expect(near('415')).not.toContain('414');
    // San Antonio and Houston are too far from Dallas, Calgary from Edmonton.
    for (const far of ['210', '713']) expect(near('214')).not.toContain(far);
    expect(near('403')).not.toContain('780');
  });

  it('stay in the country: Buffalo is not offered Toronto, nor Detroit Windsor, nor the other way round', () => {
    expect(near('716', everywhere)).not.toContain('416');
    expect(near('313', { withinMiles: 150 })).not.toContain('519');
    expect(near('905')).not.toContain('716');
    expect(near('787', everywhere)).toEqual(['939']);
    const provinceOf = (code: string): boolean => provinces.includes(regionOf(code)!);
    for (const code of codes)
      expect(near(code, everywhere).filter((other) => provinceOf(other) !== provinceOf(code))).toEqual([]);
  });

  it('are none where nobody lives near', () => {
    expect(near('907')).toEqual([]);
    expect(near('808')).toEqual([]);
    expect(near('867')).toEqual([]);
    expect(near('907', { withinMiles: 2_000 })).toEqual(expect.arrayContaining(['206', '564']));
  });

  it('are none for a code we do not know, or that is of no place', () => {
    for (const code of ['', '999', '555', '800', '876', '31', '3123', 'abc', '__proto__'])
      expect(nearbyAreaCodes(code)).toEqual([]);
  });

  it('never hold the code itself or one twice, are ordered by distance after the overlays, and keep to the limits', () => {
    fc.assert(
      fc.property(anyCode, fc.nat(400), fc.nat(40), (code, withinMiles, limit) => {
        const all = nearbyAreaCodes(code, { withinMiles });
        const found = all.map(({ areaCode }) => areaCode);
        expect(found).not.toContain(code);
        expect(new Set(found).size).toBe(found.length);
        const overlays = overlaysOf(code);
        expect(found.slice(0, overlays.length).toSorted()).toEqual(overlays.toSorted());
        for (const { miles } of all.slice(0, overlays.length)) expect(miles).toBe(0);
        const miles = all.map((each) => each.miles);
        expect(miles).toEqual(miles.toSorted((a, b) => a - b));
        expect(Math.max(0, ...miles)).toBeLessThanOrEqual(withinMiles);
        expect(nearbyAreaCodes(code, { withinMiles, limit })).toEqual(all.slice(0, limit));
      }),
      { numRuns: 300 },
    );
  });

  it('are as near to each other from either side: every pair', () => {
    const miles = new Map(
      codes.flatMap((code) =>
        nearbyAreaCodes(code, everywhere).map((each) => [`${code} ${each.areaCode}`, each.miles]),
      ),
    );
    expect(miles.size).toBeGreaterThan(140_000);
    const lopsided = [...miles].filter(([pair, far]) => miles.get(pair.split(' ').toReversed().join(' ')) !== far);
    expect(lopsided).toEqual([]);
  });
});

describe('the distance', () => {
  const cities = {
    newYork: { latitude: 40.7128, longitude: -74.006 },
    losAngeles: { latitude: 34.0522, longitude: -118.2437 },
    honolulu: { latitude: 21.3069, longitude: -157.8583 },
  };
  it('is that of published tables, within half a percent', () => {
    expect(milesBetween(cities.newYork, cities.losAngeles)).toBeCloseTo(2446, -1);
    expect(milesBetween(cities.losAngeles, cities.honolulu)).toBeCloseTo(2557, -1);
  });
  it('is 0 to the place itself and half of the globe at most', () => {
    expect(milesBetween(cities.newYork, cities.newYork)).toBe(0);
    const antipode = { latitude: -40.7128, longitude: 105.994 };
    expect(milesBetween(cities.newYork, antipode)).toBeCloseTo(12_437, -1);
  });
});

describe('the region of an area code', () => {
  it('is the state or province it was assigned to, the newest overlays included', () => {
    const expected = [
      '227 MD, 235 MO, 257 BC, 273 QC, 283 OH, 324 FL, 329 NY, 350 CA, 353 WI, 357 CA, 364 KY, 382 ON, 428 NB',
      '436 OH, 448 FL, 457 LA, 465 NY, 471 MS, 474 SK, 483 AL, 564 WA, 572 OK, 582 PA, 584 MB, 621 TX, 624 NY',
      '645 FL, 656 FL, 679 MI, 683 ON, 686 VA, 726 TX, 728 FL, 729 TN, 730 IL, 738 CA, 748 CO, 753 ON, 771 DC',
      '821 SC, 826 VA, 837 CA, 839 SC, 840 CA, 854 SC, 861 IL, 879 NL, 924 MN, 934 NY, 942 ON, 943 GA, 945 TX',
      '948 VA, 975 MO, 983 CO, 986 ID',
    ].flatMap((line) => line.split(', '));
    expect(expected.map((pair) => `${pair.slice(0, 3)} ${regionOf(pair.slice(0, 3))}`)).toEqual(expected);
    for (const code of ['', '800', '555', '876', '999']) expect(regionOf(code)).toBeNull();
  });

  it('and the other way round: all codes of a state, and no others', () => {
    expect(areaCodesOfRegion('TX').join(' ')).toBe(
      '210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 726 737 806 817 830 832 903 915 936 940 945 956 972 979',
    );
    expect(areaCodesOfRegion('CA').join(' ')).toBe(
      '209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669 707 714 738 747 760 805 818 820 831 837 840 858 909 916 925 949 951',
    );
    expect(areaCodesOfRegion('NS')).toEqual(['782', '902']);
    expect(areaCodesOfRegion('PE')).toEqual(['782', '902']);
    for (const territory of ['YT', 'NT', 'NU']) expect(areaCodesOfRegion(territory)).toEqual(['867']);
    expect(areaCodesOfRegion('XX')).toEqual([]);
  });

  it('contains its middle, and every region has a code', () => {
    for (const [its, regions, town, latitude, longitude] of areas) {
      const [south, north, west, east] = boxes[regions.split(' ')[0]!]!;
      const inside = south <= latitude && latitude <= north && west <= longitude && longitude <= east;
      expect(inside, `${its}: ${town}, ${regions}`).toBe(true);
    }
    for (const region of Object.keys(boxes)) expect(areaCodesOfRegion(region), region).not.toEqual([]);
    expect(codes.every((code) => /^[2-9]\d\d$/.test(code))).toBe(true);
  });
});

describe('the area code of a number', () => {
  it.each([
    ['+13125550123', '312'],
    ['+14165550123', '416'],
    ['+17875550123', '787'],
    // Not assigned yet: it may be before our table is made again.
    ['+12325550123', '232'],
  ])('%s: %s', (number, code) => {
    expect(areaCodeOf(number)).toBe(code);
  });

  it('is null for toll-free, personal and premium numbers, other countries, and what is no number', () => {
    for (const code of [
      '800',
      '833',
      '844',
      '855',
      '866',
      '877',
      '888',
      '822',
      '500',
      '521',
      '533',
      '577',
      '600',
      '700',
    ])
      expect(areaCodeOf(`+1${code}5550123`), code).toBeNull();
    for (const code of ['900', '911', '710', '242', '345', '441', '876', '809'])
      expect(areaCodeOf(`+1${code}5550123`), code).toBeNull();
    for (const text of ['3125550123', '+1312555012', '+131255501234', '+10125550123', '+442071838750', '', '+1'])
      expect(areaCodeOf(text), text).toBeNull();
  });

  it('is never null for a code in the table', () => {
    for (const code of codes) expect(areaCodeOf(`+1${code}5550123`)).toBe(code);
  });
});
