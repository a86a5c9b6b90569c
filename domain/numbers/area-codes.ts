/**
 * Area codes of the United States and Canada, and which of them lie near each other.
 *
 * Distances are between middles of areas: the town nearest to all of an area's telephone exchanges, so that Nevada's 775
 * is at Reno and not in the desert. Not for workflows: the table would be loaded again by every isolate.
 */
import { areas as rows } from './area-codes-data.ts';

export interface Point {
  latitude: number;
  longitude: number;
}

interface Area extends Point {
  codes: string[];
  regions: string[];
}

export interface NearbyAreaCode {
  areaCode: string;
  /** Great circle, rounded; 0 for a code of the same place. */
  miles: number;
  /** State or province, as in `TX` and `ON`. */
  region: string;
}

/**
 * What still looks local: an hour or two by car. Measured: 409 of 436 codes have another within it, half of all six or
 * more; at 50 miles half have two at most. The rest are alone in wide country (Alaska, Maine, Albuquerque).
 */
const defaultMiles = 100;

const areas: readonly Area[] = rows.map(([codes, regions, , latitude, longitude]) => ({
  codes: codes.split(' '),
  regions: regions.split(' '),
  latitude,
  longitude,
}));
/** Some codes overlay two areas: 917 is Manhattan's and the other boroughs'. */
const areasOf = new Map<string, Area[]>();
for (const area of areas) for (const code of area.codes) areasOf.set(code, [...(areasOf.get(code) ?? []), area]);

const provinces = new Set('AB BC MB NB NL NS NT NU ON PE QC SK YT'.split(' '));
/** Sold as countries of their own. */
const territories = new Set('AS GU MP PR VI'.split(' '));
const countryOf = ({ regions: [region] }: Area): string =>
  provinces.has(region!) ? 'CA' : territories.has(region!) ? region! : 'US';

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Haversine, on a sphere: at most 0.5 % off. */
export function milesBetween(a: Point, b: Point): number {
  const earthRadius = 3958.8;
  const half = (from: number, to: number): number => Math.sin(radians(to - from) / 2) ** 2;
  const chord =
    half(a.latitude, b.latitude) +
    Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * half(a.longitude, b.longitude);
  return 2 * earthRadius * Math.asin(Math.sqrt(Math.min(1, chord)));
}

/**
 * The area codes near one, nearest first and those of the same place before all others. Only of the same country, as
 * numbers are bought per country. Empty for a code we do not know.
 */
export function nearbyAreaCodes(
  areaCode: string,
  { withinMiles = defaultMiles, limit }: { withinMiles?: number; limit?: number } = {},
): NearbyAreaCode[] {
  const own = areasOf.get(areaCode) ?? [];
  const [home] = own;
  if (!home) return [];
  return [...areasOf]
    .filter(([code, [area]]) => code !== areaCode && countryOf(area!) === countryOf(home))
    .map(([code, its]) => ({
      areaCode: code,
      region: its[0]!.regions[0]!,
      samePlace: its.some((area) => own.includes(area)),
      exact: Math.min(...its.flatMap((area) => own.map((from) => milesBetween(from, area)))),
    }))
    .filter(({ exact }) => exact <= withinMiles)
    .toSorted(
      (a, b) =>
        Number(b.samePlace) - Number(a.samePlace) || a.exact - b.exact || Number(a.areaCode) - Number(b.areaCode),
    )
    .slice(0, limit)
    .map(({ areaCode: code, exact, region }) => ({ areaCode: code, miles: Math.round(exact), region }));
}

/** The state or province of an area code; of a code that serves several, the one with most numbers. */
export const regionOf = (areaCode: string): string | null => areasOf.get(areaCode)?.[0]?.regions[0] ?? null;

/** The country in which the numbers of an area code are sold: `US`, `CA`, or a territory such as `PR`. */
export const countryOfAreaCode = (areaCode: string): string | null => {
  const [area] = areasOf.get(areaCode) ?? [];
  return area ? countryOf(area) : null;
};

/** Whether a number, E.164, is a local one of the United States or Canada: no toll-free, premium or territory's. */
export const isLocalNumber = (phoneNumber: string): boolean =>
  ['US', 'CA'].includes(countryOfAreaCode(areaCodeOf(phoneNumber) ?? '') ?? '');

/** The area codes that serve a state or province, ascending: 902 is of `NS` and of `PE`. */
export const areaCodesOfRegion = (region: string): string[] =>
  [...areasOf]
    .filter(([, its]) => its.some(({ regions }) => regions.includes(region)))
    .map(([code]) => code)
    .toSorted();

/** Toll-free, personal, premium and carriers' codes, and N11: from the list of NANPA, who assign the codes. */
const nonGeographic = /^(?:.(\d)\1|52[1-9]|53[258]|54[235679]|55[0234568]|569|578|589|710|88\d)$/;
/** Other countries that share +1. */
const otherCountries = new Set(
  '242 246 264 268 284 345 441 473 649 658 664 721 758 767 784 809 829 849 868 869 876'.split(' '),
);

/**
 * The area code of a number in the United States or Canada, given in E.164, or null where the number has none. A code
 * may be newer than our table: it is returned, and `nearbyAreaCodes` knows nothing near it.
 */
export function areaCodeOf(phoneNumber: string): string | null {
  const code = /^\+1([2-9]\d{2})\d{7}$/.exec(phoneNumber)?.[1];
  return code === undefined || nonGeographic.test(code) || otherCountries.has(code) ? null : code;
}
