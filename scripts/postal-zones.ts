/**
 * Writes `domain/lawful-hours/geography/postal-codes-data.ts`: the state or province of every postal code of the United
 * States and Canada, and the zones it may be in.
 *
 *     node scripts/postal-zones.ts           writes the file
 *     node scripts/postal-zones.ts --check   fails when the file is not what the sources give
 *
 * Each code is a point (package `zipcodes`), each point is in a zone (package `geo-tz`, from OpenStreetMap). They are
 * put together by the first three characters, with every zone that occurs among them: more zones are stricter, never
 * wrong.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { regions } from '../domain/lawful-hours/geography/regions.ts';
import { clockOf } from './clock-of.ts';
import { withPackages, writeOrCheck } from './packages.ts';

const packages = ['zipcodes@8.0.0', 'geo-tz@8.1.9'];
const target = path.join(import.meta.dirname, '../domain/lawful-hours/geography/postal-codes-data.ts');

interface Code {
  zip: string;
  state: string;
  country: string;
  latitude: number | null;
  longitude: number | null;
}

/** The armed forces, who may be anywhere, and states of their own that the United States deliver mail to. */
const leftOut = new Set(['AA', 'AE', 'AP', 'FM', 'MH', 'PW']);

/** By the first letter, as `zipcodes` names some towns where the province should be. */
const provinces: Readonly<Record<string, string>> = Object.fromEntries(
  'NL A, NS B, PE C, NB E, QC G, QC H, QC J, ON K, ON L, ON M, ON N, ON P, MB R, SK S, AB T, BC V, NT X, YT Y'
    .split(', ')
    .map((pair) => pair.split(' ').toReversed() as [string, string]),
);
const nunavut = new Set(['X0A', 'X0B', 'X0C']);

/** Country districts that are larger than a zone; a point cannot tell. */
const spanning: Readonly<Record<string, string>> = {
  // St. Anthony on the island, Cartwright in Labrador.
  A0K: 'America/St_Johns America/Goose_Bay',
  // From Sept-Îles to Blanc-Sablon.
  G0G: 'America/Toronto America/Halifax America/Blanc-Sablon',
  // From Marathon to the line at 90° west, and beyond it; Atikokan keeps one or the other.
  P0T: 'America/Toronto America/Winnipeg',
  P0V: 'America/Toronto America/Winnipeg',
  // Nipawin, and Creighton beside Flin Flon.
  S0P: 'America/Regina America/Winnipeg',
  // Fernie, Creston, and the east shore of Kootenay Lake.
  V0B: 'America/Vancouver America/Edmonton America/Dawson_Creek',
  // Iqaluit and Resolute; Rankin Inlet and Coral Harbour.
  X0A: 'America/Iqaluit America/Rankin_Inlet',
  X0C: 'America/Iqaluit America/Rankin_Inlet',
};

/** The zone by the name it has in its region; null where the region has no such time, and the point must be wrong. */
function zoneIn(region: string, found: string): string | null {
  const { timeZones } = regions.get(region)!;
  return timeZones.includes(found) ? found : (timeZones.find((zone) => clockOf(zone) === clockOf(found)) ?? null);
}

const regionOf = ({ zip, state, country }: Code): string =>
  country === 'US' ? state : nunavut.has(zip) ? 'NU' : provinces[zip[0]!]!;

/** `350 351 352 354` as `350-352 354`; what is not three digits stays as it is. */
function ranges(prefixes: string[]): string {
  const parts: string[][] = [];
  for (const prefix of prefixes.toSorted()) {
    const last = parts.at(-1)?.at(-1);
    const follows = /^\d{3}$/.test(prefix) && last?.length === 3 && Number(prefix) === Number(last) + 1;
    if (follows) parts.at(-1)!.push(prefix);
    else parts.push([prefix]);
  }
  return parts.flatMap((part) => (part.length > 2 ? [`${part[0]!}-${part.at(-1)!}`] : part)).join(' ');
}

function generate(codes: Code[], zonesAt: (latitude: number, longitude: number) => string[]): string {
  /** Region by region, what is known of each prefix. */
  const known = new Map<string, Map<string, { codes: string[]; zones: Set<string> }>>();
  for (const code of codes) {
    const region = regionOf(code);
    if (leftOut.has(region)) continue;
    const prefix = code.zip.slice(0, 3);
    const byRegion = known.get(prefix) ?? new Map<string, { codes: string[]; zones: Set<string> }>();
    known.set(prefix, byRegion);
    const its = byRegion.get(region) ?? { codes: [], zones: new Set<string>() };
    byRegion.set(region, its);
    its.codes.push(code.zip);
    const { latitude, longitude } = code;
    const located = typeof latitude === 'number' && typeof longitude === 'number' ? zonesAt(latitude, longitude) : [];
    // At sea: the point is wrong.
    const found = spanning[code.zip]?.split(' ') ?? located.filter((zone) => !zone.startsWith('Etc/'));
    for (const at of found) {
      const zone = zoneIn(region, at);
      if (zone === null) console.warn(`${code.zip}, ${region}: left out, as its point is in ${at}`);
      else its.zones.add(zone);
    }
  }

  const rows = new Map<string, string[]>();
  const add = (region: string, zones: Iterable<string>, prefixes: string[]): void => {
    const order = regions.get(region)!.timeZones;
    const timeZones = [...zones].toSorted((a, b) => order.indexOf(a) - order.indexOf(b)).join(' ');
    const row = `'${region}', '${timeZones}'`;
    rows.set(row, [...(rows.get(row) ?? []), ...prefixes]);
  };
  for (const [letter, region] of Object.entries(provinces))
    if (letter !== 'X') add(region, regions.get(region)!.timeZones.slice(0, 1), [letter]);
  for (const [prefix, byRegion] of known) {
    const [main, ...others] = [...byRegion].toSorted(([, a], [, b]) => b.codes.length - a.codes.length);
    const [region, { codes: its, zones }] = main!;
    const isProvince = regions.get(region)!.country === 'CA';
    const usual = isProvince && [...zones].every((zone) => zone === regions.get(region)!.timeZones[0]);
    // Islands of the Pacific share a prefix across days: there, only what is known to the last digit counts.
    const apart = prefix === '969';
    if (!usual || prefix[0] === 'X') add(region, zones, apart ? its : [prefix]);
    for (const [other, { codes: few, zones: theirs }] of others) add(other, theirs, few);
  }
  return [
    '/**',
    ' * Where postal codes are. Written by scripts/postal-zones.ts, which says how: do not edit.',
    ` * Sources: ${packages[0]} (BSD), and ${packages[1]} (MIT) with zones from OpenStreetMap (ODbL).`,
    ' */',
    '',
    '/** State or province; zones, of which it may be any; prefixes of ZIP codes, and of Canadian codes. */',
    'export const areas: readonly (readonly [region: string, timeZones: string, prefixes: string])[] = [',
    ...[...rows]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([row, prefixes]) => `  [${row}, '${ranges(prefixes)}'],`),
    '];',
    '',
  ].join('\n');
}

await withPackages(packages, async (nodeModules) => {
  const load = createRequire(path.join(nodeModules, 'x'));
  const { codes } = load('zipcodes') as { codes: Record<string, Code> };
  const { find } = load('geo-tz/all') as { find: (latitude: number, longitude: number) => string[] };
  const text = generate(Object.values(codes), find);
  console.warn(`${Object.keys(codes).length} codes, ${Buffer.byteLength(text)} bytes`);
  await writeOrCheck(target, text);
});
